"""Mutation testing of a random sample of `poly` and `decomp`, all mutants in one build.

    python3 benches/sampled_mutants.py SCRATCH [--poly 60] [--decomp 0] [--seed 1] [--target-dir DIR] [--record FILE.csv]

A copy of the tree is changed so that each sampled place holds both what was written and its mutant, chosen when the program
runs by the environment variable WICKRING_MUTANT: `let x = a + b;` becomes `let x = if on(7) { a - b } else { a + b };`. What
does not compile is taken out again. So minutes of building are paid once, not once a mutant. A mutant is killed when a unit
test of its folder or a test of `tests/poly` or `tests/decomp` fails or does not end; survivors are printed with their line:
each needs a test, or a reason why it is the same program. Where no decomposition is asked for, only the exact polynomials, their
laws and their tests are built, which takes a fraction of the time.
"""
import argparse, csv, datetime, json, os, random, re, shutil, subprocess, sys, threading, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OPERATORS = [(" <= ", " < "), (" >= ", " > "), (" == ", " != "), (" != ", " == "), (" && ", " || "), (" || ", " && "),
             (" < ", " <= "), (" > ", " >= "), (" < ", " > "), (".all(", ".any("), (".any(", ".all("), (" + ", " - "), (" - ", " + "),
             (" * ", " + "), (" / ", " * "), (" % ", " / "), (" << ", " >> "), (" >> ", " << "), (" & ", " | "), (" ^ ", " & "),
             ("!", ""), ("true", "false"), ("false", "true"), (".min(", ".max("), (".max(", ".min("), ("is_some()", "is_none()"),
             ("is_none()", "is_some()"), (".skip(1)", ".skip(0)"), (".rev()", ""), (".abs()", ""), (" 0", " 1"), (" 1", " 2"),
             (" 2", " 3"), ("(0", "(1"), ("(1", "(2"), ("..=", ".."), ("Ordering::Less", "Ordering::Greater")]
ON = """
/// Which mutant runs.
#[allow(missing_docs)]
pub mod mutants {
    static CHOSEN: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    #[inline]
    pub fn on(k: u32) -> bool {
        *CHOSEN.get_or_init(|| std::env::var("WICKRING_MUTANT").ok().and_then(|v| v.parse().ok()).unwrap_or(0)) == k
    }
}
"""
COLUMNS = ["date", "seed", "part", "mutants", "killed", "survived"]


def balanced(text):
    depth = 0
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        if depth < 0:
            return False
    return depth == 0 and text.count('"') % 2 == 0


def closes(text):
    """Where an expression that stands at the start of `text` ends."""
    depth = 0
    for at, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if depth < 0 or depth == 0 and c in ",;":
            return at
    return len(text)


def frames(line, before, after):
    """Ways to read a line as something around one expression: (head, expression, tail)."""
    body = line.split("//")[0].rstrip()
    blank = len(body) - len(body.lstrip())
    text = body.strip()
    found = []
    for pattern in (r"let (?:mut )?[\w(), :<>&\[\]]+ = ", r"return ", r"[\w.\[\]*]+ (?:\+|-|\*|\||\^|&)?= "):
        match = re.match(pattern, text)
        if match and text.endswith(";"):
            found.append((text[:match.end()], text[match.end():-1], ";"))
    match = re.match(r"(?:\} else )?(?:if|while) ", text)
    if match and text.endswith(" {") and "let " not in text:
        found.append((text[:match.end()] + "(", text[match.end():-2], ") {"))
    match = re.match(r"([^=]+) => ", text)
    if match and text.endswith(",") and not text[match.end():].startswith("{"):
        found.append((text[:match.end()], text[match.end():-1], ","))
    for match in re.finditer(r"\|[\w(), &:]+\| ", text):
        rest = text[match.end():]
        end = closes(rest)
        if rest and not rest.startswith("{") and " || " not in text:
            found.append((text[:match.end()], rest[:end], rest[end:]))
    plain = before.strip()[-1:] in ("{", ";", "}") and after.strip().startswith("}") and re.match(r"[\w(!*&-]", text)
    if plain and text[-1:] not in (";", ",", "{") and not re.match(r"(use|fn|pub|let|if|match|for|while|type|impl) ", text):
        found.append(("", text, ""))
    return [(" " * blank + head, inside, tail) for head, inside, tail in found if balanced(inside) and inside.strip()]


def places(part):
    for folder, folders, names in os.walk(os.path.join(ROOT, "src", part)):
        folders.sort()
        for name in sorted(set(names) - {"tests.rs"}):
            path = os.path.relpath(os.path.join(folder, name), ROOT)
            lines = open(os.path.join(ROOT, path), encoding="utf-8").read().split("#[cfg(test)]")[0].split("\n")
            for number in range(1, len(lines) - 1):
                line = lines[number]
                if re.match(r"\s*(//|#|use |pub use |const |static |pub const )", line) or "assert" in line or "Error::" in line:
                    continue
                for head, inside, tail in frames(line, lines[number - 1], lines[number + 1]):
                    for old, new in OPERATORS:
                        for match in re.finditer(re.escape(old) + ("(?!=)" if old == "!" else ""), inside):
                            yield path, number, head, inside, tail, match.start(), old, new


def sampled(part, count, draw):
    """Places drawn at random, one mutant a line."""
    found = list(places(part))
    draw.shuffle(found)
    seen, kept = set(), []
    for one in found:
        if one[:2] not in seen:
            seen.add(one[:2])
            kept.append(one)
    return kept[:count]


def apply(tree, mutants):
    """Writes the sources with every mutant in place."""
    lines = {}
    for k, (path, number, head, inside, tail, at, old, new) in mutants.items():
        text = lines.setdefault(path, open(os.path.join(ROOT, path), encoding="utf-8").read().split("\n"))
        changed = inside[:at] + new + inside[at + len(old):]
        text[number] = "%sif crate::mutants::on(%d) { %s } else { %s }%s" % (head, k, changed, inside, tail)
    for path, text in lines.items():
        open(os.path.join(tree, path), "w", encoding="utf-8").write("\n".join(text))


def cargo(tree, words, environment):
    """A build; the (file, line) of its errors, and the test programs."""
    run = subprocess.run(["cargo", *words, "--message-format=json"], cwd=tree, env=environment, capture_output=True, text=True)
    errors, made = set(), {}
    for line in run.stdout.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("reason") == "compiler-message" and message["message"]["level"] == "error":
            spans = list(message["message"]["spans"])
            while spans:
                span = spans.pop()
                errors.add((span["file_name"], span["line_start"] - 1))
                if span.get("expansion"):
                    spans.append(span["expansion"]["span"])
        if message.get("reason") == "compiler-artifact" and message.get("executable"):
            made[message["target"]["name"]] = message["executable"]
    return run.returncode, errors, made, run.stderr


def tested(tree, commands, mutant, limit):
    """Whether some test fails with this mutant, and the seconds that took; ends at the first."""
    environment = dict(os.environ, WICKRING_MUTANT=str(mutant), PROPTEST_RNG_SEED="20260101", CARGO_MANIFEST_DIR=tree)
    start = time.monotonic()
    for words in commands:
        run = subprocess.Popen(words, cwd=tree, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        clock = threading.Timer(limit, run.kill)
        clock.start()
        failed = ""
        for line in run.stdout:
            if line.rstrip().endswith("FAILED"):
                failed = line.strip()
                run.kill()
                break
        run.stdout.close()
        code = run.wait()
        clock.cancel()
        if failed or code:
            return failed or "ended with %d" % code, time.monotonic() - start
    return "", time.monotonic() - start


def trimmed(tree):
    """Leaves nothing but exact polynomials with their laws, and the tests that need no more."""
    def change(name, edit):
        path = os.path.join(tree, name)
        text = open(path, encoding="utf-8").read()
        open(path, "w", encoding="utf-8").write(edit(text))
    change("Cargo.toml", lambda text: text.replace('laws = ["theory", "scheme"]', 'laws = ["poly", "parallel"]'))
    above = r"pub mod (cp|files|learn|planted|readers|ring|schemes|theory);\n"
    change("src/laws/mod.rs", lambda text: re.sub(above, "", text))
    tests = os.path.join(tree, "tests/poly")
    for name in os.listdir(tests):
        if re.search(r"wickring::(tensor|stats|learn)", open(os.path.join(tests, name), encoding="utf-8").read()):
            change("tests/poly/main.rs", lambda text: text.replace("mod %s;\n" % name[:-3], ""))


def prepared(scratch):
    tree = os.path.join(scratch, "tree")
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("target", ".git", "corpus", "artifacts"))
    with open(os.path.join(tree, "src/lib.rs"), "a", encoding="utf-8") as out:
        out.write(ON)
    text = open(os.path.join(tree, "Cargo.toml"), encoding="utf-8").read()
    open(os.path.join(tree, "Cargo.toml"), "w", encoding="utf-8").write(text.replace('"deny"', '"allow"'))
    return tree


def main():
    options = argparse.ArgumentParser()
    options.add_argument("scratch")
    options.add_argument("--poly", type=int, default=60)
    options.add_argument("--decomp", type=int, default=0)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--target-dir")
    options.add_argument("--record")
    asked = options.parse_args()
    scratch = os.path.abspath(asked.scratch)
    tree = prepared(scratch)
    draw = random.Random(asked.seed)
    # A few more than asked: some do not compile.
    wanted = {"poly": asked.poly, "decomp": asked.decomp}
    chosen = [m for part, n in wanted.items() for m in sampled(part, n + n // 4, draw)]
    mutants = dict(enumerate(chosen, 1))
    environment = dict(os.environ, CARGO_INCREMENTAL="0", CARGO_TARGET_DIR=asked.target_dir or os.path.join(scratch, "target"))
    words = ["--locked", "-p", "wickring", "--lib", "--test", "poly", "--test", "decomp"]
    if not asked.decomp:
        trimmed(tree)
        words = words[:6] + ["--no-default-features", "--features", "laws,groebner"]
    while True:
        apply(tree, mutants)
        code, errors, _, told = cargo(tree, ["check", *words], environment)
        if code == 0:
            break
        bad = [k for k, m in mutants.items() if (m[0], m[1]) in errors]
        print("# %d of %d do not compile" % (len(bad), len(mutants)), flush=True)
        if not bad:
            sys.exit(told[-3000:] + repr(errors))
        for k in bad:
            path = mutants.pop(k)[0]
            shutil.copy(os.path.join(ROOT, path), os.path.join(tree, path))
    kept = {part: [k for k, m in mutants.items() if m[0].startswith("src/%s/" % part)][:n] for part, n in wanted.items()}
    code, _, made, told = cargo(tree, ["test", "--no-run", *words], environment)
    if code:
        sys.exit(told[-3000:])
    failed = False
    for part, numbers in [(part, numbers) for part, numbers in kept.items() if numbers]:
        commands = [[made["wickring"], part + "::"], [made[part]]]
        for _ in range(2):
            found, base = tested(tree, commands, 0, 3600)
            if found:
                sys.exit("without a mutant: " + found)
        print("# %s: %d mutants, %.0f s without one" % (part, len(numbers), base), flush=True)
        survived = 0
        for k in numbers:
            path, number, _, inside, _, at, old, new = mutants[k]
            found, seconds = tested(tree, commands, k, 4 * base + 30)
            survived += not found
            outcome = "killed" if found else "survived"
            print("%-8s %4.0f s %s:%d: `%s` -> `%s` at %d of: %s   [%s]" % (outcome, seconds, path, number + 1, old.strip(), new.strip(), at, inside, found), flush=True)
        killed = len(numbers) - survived
        print("# %s: %d of %d killed" % (part, killed, len(numbers)), flush=True)
        if asked.record:
            new_file = not os.path.exists(asked.record)
            with open(asked.record, "a", newline="") as out:
                table = csv.writer(out, lineterminator="\n")
                if new_file:
                    table.writerow(COLUMNS)
                table.writerow([datetime.date.today().isoformat(), asked.seed, part, len(numbers), killed, survived])
        failed |= survived > len(numbers) // 5
    sys.exit(failed)


main()
