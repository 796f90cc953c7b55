#!/usr/bin/env python3
"""Runs every fuzz target in turn with libFuzzer and adds a line for each to a record, so that hours add up.

    fuzz/run.py [--seconds 60] [--rounds 1] [--targets a,b] [--hours H] [--record benches/records/fuzz.csv] [--no-build]
                [--seeds PROGRAM [--data FOLDER]] [--keep fuzz]

Seconds are those of the processor: a busy machine takes longer for the same work.


Works on a stable toolchain with a C++ compiler and needs nothing else installed: the programs are built with counters of
coverage in this crate and in the readers it stands on (fuzz/rustc.sh), without sanitizers, and with debug assertions and
overflow checks. Found are panics, broken laws, inputs that take more than ten seconds of processor time, and memory above
2 GB. With --seeds the corpora begin with files that the program (target/release/wickring) writes, with those of --data, and
with the command lines of the tests. What was met before is kept in fuzz/corpus, and starts the next run; a failing input is kept in fuzz/artifacts: make
it small (`-minimize_crash=1`), then a file of fuzz/regressions with a paragraph.

    WICKRING_TARGET=read_npy fuzz/target/release/library fuzz/artifacts/read_npy/crash-...      runs one input again
"""
import argparse, csv, datetime, glob, json, os, re, resource, shutil, signal, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
COLUMNS = ["date", "target", "cpu_seconds", "executions", "coverage_start", "coverage_end", "features_end", "inputs_kept",
           "peak_mb", "outcome"]
# Processor seconds of one input, and megabytes.
SECONDS, MEGABYTES = 10, 2048
# How libFuzzer ends when it is stopped.
INTERRUPTED = 72
# The dictionary of a target, where one helps, and how long its inputs may be.
TEXTS = {"poly_parse": "polynomials", "poly_identity": "polynomials", "gaussian": "polynomials", "schemes": "schemes",
         "factor_files": "schemes", "certificates": "json", "model_reader": "json", "mixture": "json", "relu": "json",
         "ring_models": "json", "polynomial_map": "json", "read_npy": "arrays", "read_npz": "arrays", "read_mat": "arrays",
         "read_tns": "tables", "read_csv": "tables", "command_line": "command_line", "model_files": "json",
         "moments": "arrays"}
LONGEST = {"read_npz": 8192, "read_mat": 8192, "certificates": 8192, "schemes": 8192, "model_reader": 8192}


def build(target):
    """Builds the programs; the table of their targets, each with the program that holds it."""
    environment = dict(os.environ, RUSTC_WRAPPER=os.path.join(HERE, "rustc.sh"), CARGO_TARGET_DIR=target)
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=HERE, env=environment, check=True)


def programs(target):
    found = {}
    for name in ("library", "command_line"):
        path = os.path.join(target, "release", name)
        if os.path.exists(path):
            environment = dict(os.environ, WICKRING_TARGET="")
            listed = subprocess.run([path], env=environment, capture_output=True, text=True).stdout.split()
            found.update((one, path) for one in listed)
    return found


def dictionary(name, folder):
    """The words of a dictionary: those listed, for JSON every key and word of the published
    schemas, for the command line the words of its tests."""
    path = os.path.join(HERE, "dictionaries", name + ".dict")
    lines = open(path, encoding="utf-8").read().splitlines() if os.path.exists(path) else []
    if name == "json":
        words = set()
        for schema in glob.glob(os.path.join(ROOT, "docs/schemas/*.json")):
            words |= set(re.findall(r'"([^"\\]{1,40})"', open(schema, encoding="utf-8").read()))
        lines += [json.dumps('"%s"' % w) for w in sorted(words) if w.isascii() and " " not in w]
    if name == "command_line":
        text = open(os.path.join(ROOT, "tests/cli/effects.txt"), encoding="utf-8").read()
        lines += [json.dumps(w) for w in sorted(set(re.findall(r"--[a-z-]+|\b[a-z][a-z-]+\b", text)))]
    made = os.path.join(folder, name + ".dict")
    open(made, "w", encoding="utf-8").write("\n".join(lines) + "\n")
    return made if lines else None


def words(line):
    """Words as a shell splits them, single quotes included."""
    parts = line.split("'")
    return [w for k, part in enumerate(parts) for w in (part.split() if k % 2 == 0 else [part])]


def plant(program, data, keep):
    """Begins the corpora with real files and real command lines."""
    sys.path.insert(0, os.path.join(ROOT, "benches"))
    import mutated_files
    folder = tempfile.mkdtemp(prefix="wickring-seeds-")
    os.chdir(folder)
    files = mutated_files.seeds(program, data)
    kinds = {name: mutated_files.kind(name) for name in files}
    os.chdir(ROOT)
    shutil.rmtree(folder)

    def give(target, name, content):
        at = os.path.join(keep, "corpus", target)
        os.makedirs(at, exist_ok=True)
        open(os.path.join(at, "seed-" + re.sub(r"[^\w.]", "_", name)[:60]), "wb").write(content)

    by_kind = {"model": ["model_reader", "mixture", "relu", "factor_files", "model_files"], "factors": ["factor_files", "model_files", "read_npz"],
               "certificate": ["certificates"], "moments": ["moments"], "ranks": ["factor_files"], "state": ["schemes"]}
    by_ending = {"npy": "read_npy", "npz": "read_npz", "mat": "read_mat", "tns": "read_tns", "csv": "read_csv", "tsv": "read_csv"}
    formats = {"json": 0, "m": 1, "mpl": 2, "exp": 3, "txt": 4}
    for name, content in files.items():
        ending = name.rsplit(".", 1)[1]
        for target in by_kind.get(kinds[name], []):
            give(target, name, content)
        if kinds[name] == "scheme":
            give("schemes", name, bytes([0, formats.get(ending, 5)]) + content)
        if ending in by_ending:
            give(by_ending[ending], name, content)
    for k, text in enumerate(mutated_files.EXPRESSIONS):
        for target in ("poly_parse", "poly_identity", "gaussian"):
            give(target, "text%d" % k, text.encode())
    lines = [line.split("|") for line in open(os.path.join(ROOT, "tests/cli/effects.txt"), encoding="utf-8")]
    lines = {"%s %s %s" % (a.strip(), b.strip(), c.split("~")[0].strip()) for a, b, c in lines}
    readme = open(os.path.join(ROOT, "README.md"), encoding="utf-8").read().splitlines()
    lines |= {line[len("    wickring "):] for line in readme if line.startswith("    wickring ")}
    for k, line in enumerate(sorted(lines)):
        give("command_line", "line%d" % k, "\n".join(words(line)).encode())


def used():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def slow(program, environment, path):
    """Whether an input that ran out of time does so in processor seconds, on a machine that may be busy."""
    before = used()
    try:
        subprocess.run([program, "-rss_limit_mb=%d" % MEGABYTES, path], env=environment, capture_output=True, timeout=300)
    except subprocess.TimeoutExpired:
        return True
    return used() - before > SECONDS


def spent(process):
    """Processor seconds of a running process, all its threads."""
    try:
        fields = open("/proc/%d/stat" % process.pid).read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def explored(words, environment, log, scratch, seconds):
    """Runs a fuzzer until it has used so many seconds of the processor; its exit code, zero for one that was stopped."""
    with open(log, "w") as out:
        process = subprocess.Popen(words, env=environment, stdout=out, stderr=out, cwd=scratch)
        while process.poll() is None and spent(process) < seconds:
            time.sleep(0.5)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        code = process.wait()
    return 0 if code == INTERRUPTED else code


def run(target, program, seconds, scratch, keep):
    """One target for a while; the line of the record and the end of the log."""
    corpus, artifacts = os.path.join(keep, "corpus", target), os.path.join(keep, "artifacts", target)
    os.makedirs(corpus, exist_ok=True)
    os.makedirs(artifacts, exist_ok=True)
    seeds = [f for f in (os.path.join(HERE, "regressions", target),) if os.path.isdir(f)]
    options = ["-max_total_time=%d" % (60 * seconds), "-timeout=40", "-rss_limit_mb=%d" % MEGABYTES, "-print_final_stats=1",
               "-max_len=%d" % LONGEST.get(target, 2048), "-artifact_prefix=%s/" % artifacts]
    words = dictionary(TEXTS[target], scratch) if target in TEXTS else None
    options += ["-dict=" + words] if words else []
    environment = dict(os.environ, WICKRING_TARGET=target)
    before, kept = used(), set(os.listdir(artifacts))
    log = os.path.join(scratch, target + ".log")
    code = explored([program, corpus, *seeds, *options], environment, log, scratch, seconds)
    text = open(log, errors="replace").read()
    outcome = "passed" if code == 0 else "failed"
    for name in set(os.listdir(artifacts)) - kept:
        path = os.path.join(artifacts, name)
        if name.startswith("slow-unit") or name.startswith("timeout") and not slow(program, environment, path):
            os.remove(path)
            outcome = "passed" if name.startswith("slow-unit") else "passed (a busy machine)"
        else:
            outcome = "failed: " + name
    stat = lambda name: (re.findall(r"stat::%s:\s*(\d+)" % name, text) or [0])[-1]
    covered = re.findall(r"#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+)", text)
    started = re.findall(r"INITED cov: (\d+)", text) or [0]
    line = {"date": datetime.date.today().isoformat(), "target": target, "cpu_seconds": round(used() - before),
            "executions": stat("number_of_executed_units") or (covered or [(0,)])[-1][0], "coverage_start": started[0],
            "coverage_end": (covered or [(0, 0, 0)])[-1][1], "features_end": (covered or [(0, 0, 0)])[-1][2],
            "inputs_kept": len(os.listdir(corpus)), "peak_mb": stat("peak_rss_mb"), "outcome": outcome}
    if line["executions"] == "0" and covered:
        line["executions"] = covered[-1][0]
    return line, text


def add(record, line):
    new = not os.path.exists(record)
    with open(record, "a", newline="") as out:
        table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        if new:
            table.writeheader()
        table.writerow(line)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--hours", type=float, help="stop before the first target that would start later than this")
    options.add_argument("--targets")
    options.add_argument("--record", default=os.path.join(ROOT, "benches/records/fuzz.csv"))
    options.add_argument("--target-dir", default=os.path.join(HERE, "target"))
    options.add_argument("--no-build", action="store_true")
    options.add_argument("--seeds", metavar="PROGRAM")
    options.add_argument("--data", metavar="FOLDER")
    options.add_argument("--keep", default=HERE, help="where corpus and artifacts stand")
    asked = options.parse_args()
    keep = os.path.abspath(asked.keep)
    if not asked.no_build:
        build(asked.target_dir)
    if asked.seeds:
        plant(os.path.abspath(asked.seeds), asked.data and os.path.abspath(asked.data), keep)
    table = programs(asked.target_dir)
    names = asked.targets.split(",") if asked.targets else sorted(table)
    scratch = tempfile.mkdtemp(prefix="wickring-fuzz-")
    start, failed = time.monotonic(), False
    for _ in range(asked.rounds):
        for name in names:
            if asked.hours and time.monotonic() - start > 3600 * asked.hours:
                break
            line, text = run(name, table[name], asked.seconds, scratch, keep)
            add(asked.record, line)
            print(" ".join(str(v) for v in line.values()), flush=True)
            if line["outcome"].startswith("failed"):
                failed = True
                print(text[-2000:], flush=True)
    shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(failed)


main()
