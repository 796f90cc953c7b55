#!/usr/bin/env python3
"""Mutated files of every format through the program: whatever a file holds, one line and a documented exit code.

    python3 benches/mutated_files.py PROGRAM [--count 100000] [--seed 1] [--keep FOLDER] [--record FILE.csv] [--data FOLDER]

The seeds are files that the program itself writes from a handful of small models, and what stands in --data. Each run takes
one of them, damages it (bits, cuts, spans, numbers at the ends of their ranges, lengths, deep nesting, parts of other
files, a value of the JSON tree; archives and seals are made anew, so that damage gets past the checksums), and gives it to a
command that reads its format, with 1 GB of addresses and 10 s of processor time. Accepted are exit codes 0 to 3, one line on
standard error where the input is refused, and no temporary file left. Everything else is printed
with its command, and its file kept.
"""
import argparse, csv, datetime, gzip, hashlib, io, json, os, random, re, resource, shutil, struct, subprocess, sys, tempfile, time
import warnings, zipfile, zlib

# Archives with a name twice are made on purpose.
warnings.filterwarnings("ignore", "Duplicate name")
ADDRESSES, SECONDS = 1_000_000, 10
COLUMNS = ["date", "seed", "runs", "cpu_seconds", "code_0", "code_1", "code_2", "code_3", "broken"]
EDGES = ["0", "-1", "1", "2", "255", "256", "65536", "2147483647", "2147483648", "4294967296", "9007199254740993",
         "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "1e308", "1e309",
         "-1e308", "1e-320", "5e-324", "1e999999999", "NaN", "nan", "inf", "-inf", "1/0", "0/0", "1/3", "0.1", "1" * 400,
         "-0.0", "0x10", "1_000", "", "99999999"]
VALUES = [None, True, False, 0, 1, -1, 2, 1.5, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 32, 2 ** 53 + 1, 2 ** 63, 2 ** 64, 10 ** 30, "",
          "1", "x", "1/0", "1/3", "-1/2", "\u0000", "\ud7ff", "a" * 300, [], {}, [[]], [0], [1, 2], {"a": 1}, [[[[1]]]]]
MODELS = {
    "quadratic.json": '{"schema":"wickring/quadratic-map/1","latent_dim":2,"output_dim":3,"quadratic":[[[1.0,0.2],[0.2,0.5]],'
                      '[[0.3,-0.7],[-0.7,0.1]],[[-0.2,0.4],[0.4,0.9]]],"linear":[[0,0.1],[0,0],[0,0]],"constant":[0,0,1]}',
    "mixture.json": '{"schema":"wickring/mixture/1","dim":2,"components":[{"weight":0.5,"mean":[3,0]},{"weight":0.5,"mean":[-3,1]}]}',
    "polynomial.json": '{"schema":"wickring/polynomial-map/1","latent_dim":2,"output_dim":2,"degree":3,'
                       '"outputs":[[[[2,1],1.0],[[0,0],0.5]],[[[0,3],-1.0]]]}',
    "relu.json": '{"schema":"wickring/relu-network/1","input_dim":3,"constant":0.5,"linear":[0,1,0],'
                 '"neurons":[{"coefficient":1,"weight":[1,0.5,0],"activation":"relu"},'
                 '{"coefficient":-2,"weight":[0,1,1],"activation":"relu"}]}',
    "two-layer.json": '{"schema":"wickring/two-layer/1","input_dim":3,"activation":[0,0,0,1],"weights":[[1,0.5,0],[0,1,1]]}',
}
STRASSEN = ("(a11+a22)*(b11+b22)*(c11+c22)\n(a21+a22)*b11*(c21-c22)\na11*(b12-b22)*(c12+c22)\na22*(b21-b11)*(c11+c21)\n"
            "(a11+a12)*b22*(c12-c11)\n(a21-a11)*(b11+b12)*c22\n(a12-a22)*(b21+b22)*c11\n")
TEXTS = {
    "strassen.exp": STRASSEN, "one.json": '{"n":[1,1,1],"m":1,"u":[[1]],"v":[[1]],"w":[[1]]}',
    "best.csv": "format,ZT,Z,Q\n2x2x2,7,7,7\n3x3x3,23,23,23\n", "cov.csv": "2,1\n1,3\n",
    "rows.tsv": "a\tb\n1\t2\n3\t4.5\n-1\t0\n", "quoted.csv": '"a","b"\n"1","2"\n3,"4"\n', "frostt.tns": "1 1 1 1.5\n2 3 2 -2\n4 1 1 0.25\n",
    "tensor.json": '{"shape":[2,2],"data":[1,2,3,4]}', "matrix.json": "[[1,2],[3,4.5]]",
    "product.slp": "t0:=a11*b11;\nc11:=t0;\n", "bini.txt": "1 0 0 1\n#\n1 0 0 1\n#\n1 0 0 1\n",
}
# How further seeds are made; a command that refuses is an error of this program.
STAGE = """sample quadratic.json -n 40 --out rows.npy
sample quadratic.json -n 40 --out rows.csv
sample mixture.json -n 60 --out points.npy
sample mixture.json -n 60 --out points.csv
sample mixture.json -n 60 --out points.mat
sample mixture.json -n 30 --out points.json
predict relu.json --input rows.npy --out targets.npy
predict two-layer.json --input rows.npy --out cubes.npy
decompose cp cube.npy --rank 2 --out cp.npz
decompose cp cube.npy --rank 2 --out cp.json
decompose ring cube.npy --rank 2 --out ring.npz
decompose ring cube.npy --rank 2 --out ring.json
decompose train cube.npy --tol 0.1 --out train.npz
decompose tucker cube.npy --tol 0.1 --out tucker.npz
decompose exact ones.npy --rank 1 --out exact.json
learn mixture points.npy --method diffusion --noise 1 --out diffusion.json
learn mixture points.npy --method em --components 2 --out em.json
moments add rows.npy --out rows.m
moments add rows.npy --third --out third.m
convert cube.npy cube.npz
convert cube.npy cube.mat
convert cube.npy cube.tns
poly expand (x+1/2)^3*y --out expand.certificate.json
poly factor x^4-1 --out factor.certificate.json
poly divide x^3-1 x-1 --out divide.certificate.json
poly roots x^2-2 --out roots.json
poly groebner x^2+y x*y-1 --contains x^3+1 --out groebner.certificate.json
poly eq (x+1)^2 x^2+2*x+1 --out eq.certificate.json
verify strassen.exp --out strassen.certificate.json
scheme search --tensor matmul:2,2,2 --flips 100 --walkers 1 --out state.json
scheme convert strassen.exp strassen.json
scheme convert strassen.exp strassen.m
scheme convert strassen.exp strassen.mpl
scheme convert strassen.exp strassen.txt"""
TENSORS = """decompose cp F --rank 2 --out o.npz
decompose cp F --rank 1 --nonneg --out o.npz
decompose ring F --rank 1 --out o.npz
decompose symmetric F --rank 1
decompose orthogonal F --rank 1
decompose train F --tol 0.1 --out o.npz
decompose tucker F --tol 0.1
decompose exact F --rank 1
decompose parafac2 F --rank 1 --slices 0
convert F o.npz
convert F o.mat
convert F o.csv
convert F o.tns
verify F
compare F cube.npy"""
SAMPLES = """learn quadratic F --out o.json
learn polynomial F --degree 2 --out o.json
learn mixture F --components 2 --method em --out o.json
learn mixture F --components 2 --method moments --out o.json
learn mixture F --method diffusion --noise 1 --out o.json
learn relu --inputs F --targets targets.npy --out o.json
learn relu --inputs rows.npy --targets F --out o.json
learn two-layer --inputs F --targets cubes.npy --activation x^3 --neurons 2 --out o.json
moments add F --out o.m
map test quadratic.json F
experiment mixture-compare F points.npy
predict mixture.json --input F --out o.npy --quantity responsibilities
predict relu.json --input F --out o.npy
convert F o.json"""
LINES = {
    "model": """sample F -n 5 --out o.npy
predict F --input points.csv --out o.npy
predict F --input rows.csv --out o.npy
map pce F
map cumulants F
map distance F quadratic.json
map distance F mixture.json
map test F rows.npy
compare F cp.npz
convert F o.npz
convert F o.json
verify F
check F""",
    "factors": """verify F
verify F --tensor cube.npy
compare F cp.npz
compare cp.npz F
check F
decompose cp cube.npy --rank 2 --init F
convert F o.json
convert F o.npz
sample F -n 3 --out o.npy""",
    "scheme": """verify F
verify F --tensor matmul:2,2,2
verify F --find-bad
verify F --field F2 --cost
scheme canonical F
scheme convert F o.exp
scheme convert F o.json
scheme lift F --out o.json
scheme reduce F --max-seconds 5 --out o.json
scheme program F --out o.py
scheme table F
scheme search F --flips 50 --out o.json
check F
compare F strassen.exp""",
    "state": "scheme search --resume F --flips 50 --out o.json\nverify F",
    "certificate": "check F\ncheck F --emit python\ncheck F --max-steps 1000\nverify F",
    "moments": "moments show F\nmoments merge F rows.m --out o.m\nlearn quadratic F --out o.json\nmoments merge third.m F --out o.m",
    "ranks": "verify strassen.exp --compare F\nscheme table strassen.exp --compare F",
    "covariance": "poly moment x^2+y^2 --cov F\npoly cumulant x^2 --cov F",
    "tensor": TENSORS, "sample": SAMPLES, "both": TENSORS + "\n" + SAMPLES,
}
EXPRESSIONS = ["x^2+2*x*y-1/3", "(x+1)^5*(y-2)", "x^3-x-1", "0.1*x^2-3e5*y", "x_1*x_2-7", "sqrt(2)*x", "((x+1)^2+y)^3"]
ON_TEXT = """poly expand T
poly factor T
poly roots T
poly moment T
poly cumulant T --order 2
poly hermite T
poly gcd T x^2-1
poly divide T x-1
poly divide x^4-1 T
poly eq T x
poly groebner T x*y-1
poly resultant T x^2-1 --by x
poly discriminant T --by x
poly eval T --at x=1,y=2
poly compose T --put x=y^2
poly solve T --start x=1,y=1
poly expand T --field F7
learn two-layer --inputs rows.npy --targets cubes.npy --activation T --neurons 2 --out o.json"""


def npy(shape, descr, data, fortran=False):
    header = "{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }" % (descr, fortran, "".join("%d, " % n for n in shape))
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def kind(name):
    """What a seed is, told by its name: the commands that read it."""
    ends = name.split(".", 1)[1]
    if "certificate" in ends:
        return "certificate"
    if name == "state.json":
        return "state"
    if name == "best.csv" or name.startswith("best_known"):
        return "ranks"
    if name == "cov.csv":
        return "covariance"
    if ends == "m" and name in ("rows.m", "third.m"):
        return "moments"
    if name.split(".")[0] in ("strassen", "one", "product", "bini") or ends in ("exp", "m", "mpl", "sms", "slp", "txt"):
        return "scheme"
    if name.split(".")[0] in ("cp", "ring", "train", "tucker", "exact"):
        return "factors"
    if ends == "json" and name not in ("points.json", "tensor.json", "matrix.json"):
        return "scheme" if b'"n"' in open(name, "rb").read(300) and b"schema" not in open(name, "rb").read(300) else "model"
    return "both"


def seeds(program, data):
    for name, text in {**MODELS, **TEXTS}.items():
        open(name, "w", encoding="utf-8").write(text)
    cube = [((7 * k) % 11 - 5) / 2 for k in range(24)]
    arrays = [("cube.npy", (4, 3, 2), "<f8", "24d"), ("big.npy", (4, 3, 2), ">f8", "24d"), ("single.npy", (2, 3, 4), "<f4", "24f")]
    for name, shape, descr, code in arrays:
        order = ">" if descr[0] == ">" else "<"
        open(name, "wb").write(npy(shape, descr, struct.pack(order + code, *cube), name == "big.npy"))
    open("ones.npy", "wb").write(npy((2, 2, 2), "|i1", bytes([1] * 8)))
    open("complex.npy", "wb").write(npy((3, 2, 2), "<c16", struct.pack("<24d", *cube)))
    open("cube.npy.gz", "wb").write(gzip.compress(open("cube.npy", "rb").read()))
    for line in STAGE.split("\n"):
        run = subprocess.run([program, *line.split(" "), "--quiet", "--force"], capture_output=True, text=True)
        if run.returncode not in (0, 3):
            print("not a seed:", line, run.stderr.strip(), flush=True)
    for name in list(os.listdir(data)) if data else []:
        if os.path.isfile(os.path.join(data, name)) and os.path.getsize(os.path.join(data, name)) < 100_000:
            shutil.copy(os.path.join(data, name), name)
    names = [n for n in os.listdir(".") if "." in n and ".report." not in n]
    return {n: open(n, "rb").read() for n in sorted(names)}


def reseal(text):
    text = re.sub(r',"seal":"[0-9a-f]{64}"\}\s*$', "}", text.rstrip())
    end = text[:-1] + ',"seal":"%s"}\n'
    return end % hashlib.sha256((end % ("0" * 64)).encode()).hexdigest()


def nodes(tree, found):
    for key, value in (tree.items() if isinstance(tree, dict) else enumerate(tree)):
        found.append((tree, key))
        if isinstance(value, (dict, list)):
            nodes(value, found)


def tree_mutant(data, draw):
    """A change of one value of a JSON text; nothing where it is none."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(tree, (dict, list)) or not tree:
        return None
    sealed = isinstance(tree, dict) and "seal" in tree
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        found = []
        nodes(tree, found)
        if not found:
            break
        parent, key = draw.choice(found)
        way = draw.randrange(6)
        other = draw.choice(found)
        if way == 0:
            parent[key] = draw.choice(VALUES)
        elif way == 1 and isinstance(parent, list):
            parent.insert(key, parent[key])
        elif way == 2:
            del parent[key]
        elif way == 3:
            parent[key] = json.loads(json.dumps(other[0][other[1]]))
        elif way == 4 and isinstance(parent[key], (int, float)):
            parent[key] = draw.choice([-parent[key], parent[key] + 1, parent[key] * 2 ** draw.randrange(70)])
        elif isinstance(parent[key], str):
            parent[key] = draw.choice(EDGES + [parent[key] + parent[key], parent[key][:-1]])
        else:
            deep = draw.choice([3, 60, 200])
            parent[key] = json.loads("[" * deep + "1" + "]" * deep)
    try:
        text = json.dumps(tree, separators=(",", ":"))
    except (ValueError, RecursionError):
        return None
    return (reseal(text) if sealed and draw.random() < 0.9 else text).encode()


def number(data, draw):
    places = list(re.finditer(rb"-?\d+(\.\d+)?([eE][-+]?\d+)?", data))
    if not places:
        return data
    at = draw.choice(places)
    return data[:at.start()] + draw.choice(EDGES).encode() + data[at.end():]


def word(data, draw):
    """A little- or big-endian integer at an end of its range."""
    size = draw.choice([1, 2, 4, 8])
    if len(data) < size:
        return data
    at = draw.randrange(len(data) - size + 1)
    value = draw.choice([0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), 2 ** (8 * size - 1) - 1, len(data), len(data) - at, draw.getrandbits(8 * size)])
    return data[:at] + (value % 2 ** (8 * size)).to_bytes(size, draw.choice(["little", "big"])) + data[at + size:]


def damaged(data, draw, others):
    for _ in range(draw.choice([1, 1, 1, 2, 2, 3, 5])):
        n, way = len(data), draw.randrange(11)
        at, to = sorted((draw.randrange(n + 1), draw.randrange(n + 1)))
        if way == 0 and n:
            changed = bytearray(data)
            for _ in range(draw.choice([1, 1, 2, 8])):
                changed[draw.randrange(n)] ^= 1 << draw.randrange(8)
            data = bytes(changed)
        elif way == 1:
            data = data[:at]
        elif way == 2:
            data = data[:at] + data[min(to, at + draw.choice([1, 2, 8, 64])):]
        elif way == 3:
            span = data[at:min(to, at + draw.choice([1, 8, 64, 512]))]
            data = data[:at] + span * draw.choice([2, 3, 10, 300]) + data[at:]
        elif way == 4:
            other = draw.choice(others)
            data = data[:at] + other[draw.randrange(len(other) + 1):][:draw.choice([4, 30, 400])] + data[to:]
        elif way in (5, 6):
            data = number(data, draw)
        elif way == 7:
            data = word(data, draw)
        elif way == 8:
            data = data[:at] + draw.choice([b"[", b"(", b'{"a":', b"-", b"x^", b"1,", b"{{", b'"', b"\x00", b"\xff", b"\n"]) * draw.choice([1, 5, 300, 40_000]) + data[at:]
        elif way == 9:
            data = data[:at] + bytes(draw.getrandbits(8) for _ in range(draw.choice([1, 2, 8]))) + data[at:]
        else:
            lines = data.split(b"\n")
            draw.shuffle(lines)
            data = b"\n".join(lines)
    return data[:900_000]


def mutant(name, data, draw, others):
    """A damaged file, with its outer layer made anew half of the time where it has one."""
    inside = draw.random() < 0.6
    if inside and name.endswith(".npz"):
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as whole, zipfile.ZipFile(out, "w", draw.choice([0, 8])) as made:
            members = whole.namelist()
            hit = draw.choice(members)
            for one in members:
                content = whole.read(one)
                made.writestr(one if draw.random() < 0.9 else draw.choice(members + ["x.npy", "../y.npy", ""]) or "z",
                              damaged(content, draw, others) if one == hit else content)
        return out.getvalue()
    if inside and name.endswith(".gz"):
        return gzip.compress(damaged(gzip.decompress(data), draw, others))
    if inside and name.endswith(".mat") and len(data) > 136:
        kind, size = struct.unpack("<II", data[128:136])
        if kind == 15:
            packed = zlib.compress(damaged(zlib.decompress(data[136:136 + size]), draw, others))
            return data[:128] + struct.pack("<II", 15, len(packed)) + packed
    if inside and data[:1] in (b"{", b"["):
        changed = tree_mutant(data, draw)
        if changed:
            return changed
    if inside and name.endswith(".certificate.json"):
        return reseal(damaged(data, draw, others).decode(errors="replace")).encode()
    return damaged(data, draw, others)


def judged(run, table):
    """What is wrong with how a run ended; empty where nothing is."""
    told = run.stderr.decode(errors="replace").strip().split("\n") if run.stderr.strip() else []
    if run.returncode not in (0, 1, 2, 3):
        return "exit code %d" % run.returncode
    # A table tells of an unreadable file in its row.
    if run.returncode == 2 and len(told) != 1 and not (table and not told):
        return "%d lines" % len(told)
    # Warnings stand one to a line; a search over many models has many.
    if len(told) > (3 if run.returncode == 2 else 40) or any(len(line) > 2000 for line in told):
        return "long messages"
    if any("internal error" in line or "panicked" in line for line in told):
        return "internal error"
    if any(n.endswith(".part") for n in os.listdir(".")):
        return "temporary file left"
    return ""


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--count", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", default="mutated-files")
    options.add_argument("--record")
    options.add_argument("--data")
    asked = options.parse_args()
    program, keep = os.path.abspath(asked.program), os.path.abspath(asked.keep)
    record = asked.record and os.path.abspath(asked.record)
    data = asked.data and os.path.abspath(asked.data)
    scratch = tempfile.mkdtemp(prefix="wickring-mutated-")
    os.chdir(scratch)
    files = seeds(program, data)
    kinds = {name: kind(name) for name in files}
    staged = set(os.listdir("."))
    draw = random.Random(asked.seed)
    names, contents = sorted(files), [files[n] for n in sorted(files)]
    counts, broken, slowest = {c: 0 for c in range(4)}, 0, 0.0
    limits = 'ulimit -v %d; ulimit -t %d; exec "$@"' % (ADDRESSES, SECONDS)
    for n in range(asked.count):
        words, place = None, None
        if draw.random() < 0.12:
            line = draw.choice(ON_TEXT.split("\n"))
            text = damaged(draw.choice(EXPRESSIONS).encode(), draw, [e.encode() for e in EXPRESSIONS])[:100_000].replace(b"\0", b"0")
            words = [text if w == "T" else w.encode() for w in line.split(" ")]
            # Ideals and factors have no bound but the clock; expressions may begin with a sign.
            words = words[:2] + [b"--max-seconds=5", b"--"] + words[2:] if len(words) < 5 else words + [b"--max-seconds=5"]
        else:
            name = draw.choice(names)
            place = "f_" + name.split(".", 1)[0] + "." + name.split(".", 1)[1]
            open(place, "wb").write(mutant(name, files[name], draw, contents))
            line = draw.choice(LINES[kinds[name]].split("\n"))
            words = [place if w == "F" else w for w in line.split(" ")]
        words += ["--json"] if draw.random() < 0.2 else []
        try:
            run = subprocess.run(["sh", "-c", limits, "sh", program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, timeout=120)
            fault = judged(run, line.startswith("scheme table"))
        except subprocess.TimeoutExpired:
            run, fault = None, "no end"
        if run and run.returncode in counts:
            counts[run.returncode] += 1
        if fault:
            broken += 1
            os.makedirs(keep, exist_ok=True)
            kept = os.path.join(keep, "%d-%d-%s" % (asked.seed, n, place or "words"))
            if place:
                shutil.copy(place, kept)
            else:
                open(kept, "wb").write(b"\0".join(w if isinstance(w, bytes) else w.encode() for w in words))
            message = run.stderr.decode(errors="replace")[:300].replace("\n", " | ") if run else ""
            print("%s: %s: %s: %s" % (fault, line, kept, message), flush=True)
        for left in set(os.listdir(".")) - staged:
            shutil.rmtree(left) if os.path.isdir(left) else os.remove(left)
        if n % 5000 == 4999:
            print("# %d runs, %s, %d broken" % (n + 1, counts, broken), flush=True)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    if record:
        new = not os.path.exists(record)
        with open(record, "a", newline="") as out:
            table = csv.writer(out, lineterminator="\n")
            if new:
                table.writerow(COLUMNS)
            table.writerow([datetime.date.today().isoformat(), asked.seed, asked.count, round(usage.ru_utime + usage.ru_stime),
                            *(counts[c] for c in range(4)), broken])
    os.chdir("/")
    shutil.rmtree(scratch)
    sys.exit(broken > 0)


if __name__ == "__main__":
    main()
