"""Exact polynomial arithmetic against FLINT, batch evaluation against numpy, in one run, one thread each.

    pip install python-flint            # outside the project; brings libflint
    python benches/peers/poly_vs_flint.py     # builds and runs benches/rust/poly_bench.rs, then prints a table

FLINT is called through its C functions (fmpz_mpoly_mul into a reused result, fmpz_mpoly_divides, ...), by ctypes; a call
costs about a microsecond of Python, which is measured with fmpz_mpoly_length and taken off. Times are least ones of several
runs; both programs run alternately, ROUNDS times. `THREADS=2` gives both that many threads,
`SKIP_BUILD=1` measures what is built, `FRESH=1` has FLINT allocate each product anew, as ours does. The case `memory` gives megabytes where others give milliseconds: the most
that a process of its own held beyond what it held at the start. Names of cases as arguments select them.
"""
import ctypes as C
import glob
import json
import os
import subprocess
import sys
import time

import flint

LIB = glob.glob(os.path.join(os.path.dirname(flint.__file__), "..", "python_flint.libs", "libflint*.so*"))[0]
F = C.CDLL(LIB)
THREADS = int(os.environ.get("THREADS", "1"))
ROUNDS = int(os.environ.get("ROUNDS", "2"))
FRESH = bool(os.environ.get("FRESH"))
F.flint_set_num_threads(THREADS)
for name in ("fmpz_mpoly_length", "fmpq_mpoly_length", "nmod_mpoly_length"):
    getattr(F, name).restype = C.c_long


class Ring:
    """A context and polynomials of one FLINT type."""

    def __init__(self, kind, n, modulus=None, order=0):
        self.kind, self.n, self.modulus = kind, n, modulus
        self.ctx = C.create_string_buffer(4096)
        init = getattr(F, f"{kind}_ctx_init")
        init(self.ctx, C.c_long(n), C.c_int(order), *([C.c_ulong(modulus)] if modulus else []))
        self.mul = getattr(F, f"{kind}_mul")
        self.length = getattr(F, f"{kind}_length")

    def new(self):
        p = C.create_string_buffer(256)
        getattr(F, f"{self.kind}_init")(p, self.ctx)
        return p

    def clear(self, p):
        getattr(F, f"{self.kind}_clear")(p, self.ctx)

    def poly(self, terms, den=1):
        p = self.new()
        for e, c in terms:
            row = (C.c_ulong * self.n)(*(list(e) + [0] * (self.n - len(e))))
            if self.kind == "nmod_mpoly":
                F.nmod_mpoly_push_term_ui_ui(p, C.c_ulong(c % self.modulus), row, self.ctx)
            elif self.kind == "fmpz_mpoly":
                z = C.c_long(0)
                F.fmpz_init(C.byref(z))
                F.fmpz_set_str(C.byref(z), str(c).encode(), 10)
                F.fmpz_mpoly_push_term_fmpz_ui(p, C.byref(z), row, self.ctx)
                F.fmpz_clear(C.byref(z))
            else:
                z = (C.c_long * 2)(0, 1)
                F.fmpq_set_str(z, f"{c}/{den}".encode(), 10)
                F.fmpq_mpoly_push_term_fmpq_ui(p, z, row, self.ctx)
        getattr(F, f"{self.kind}_sort_terms")(p, self.ctx)
        getattr(F, f"{self.kind}_combine_like_terms")(p, self.ctx)
        return p

    def power(self, base, k):
        p = self.new()
        getattr(F, f"{self.kind}_pow_ui")(p, base, C.c_ulong(k), self.ctx)
        return p


def best(f, least=0.3):
    b, runs, start = 1e9, 0, time.perf_counter()
    while runs < 3 or (time.perf_counter() - start < least and runs < 200000):
        t = time.perf_counter()
        f()
        b = min(b, time.perf_counter() - t)
        runs += 1
    return b


def terms_of(ring, p):
    """Terms as Python values, through the pretty string of python-flint's own types: small inputs only."""
    out = []
    for i in range(ring.length(p, ring.ctx)):
        e = (C.c_ulong * ring.n)()
        F.fmpz_mpoly_get_term_exp_ui(e, p, C.c_long(i), ring.ctx)
        z = C.c_long(0)
        F.fmpz_init(C.byref(z))
        F.fmpz_mpoly_get_term_coeff_fmpz(C.byref(z), p, C.c_long(i), ring.ctx)
        buf = C.create_string_buffer(4096)
        F.fmpz_get_str(buf, C.c_int(10), C.byref(z))
        F.fmpz_clear(C.byref(z))
        out.append((list(e), int(buf.value)))
    return out


OVERHEAD = None
RESULTS = {}


def record(name, terms, seconds):
    old = RESULTS.get(name, (terms, 1e9))
    RESULTS[name] = (terms, min(old[1], max(seconds - OVERHEAD, 1e-9)))


def product(name, ring, a, b):
    r = ring.new()

    def fresh():
        r = ring.new()
        ring.mul(r, a, b, ring.ctx)
        ring.clear(r)

    ring.mul(r, a, b, ring.ctx)
    s = best(fresh if FRESH else lambda: ring.mul(r, a, b, ring.ctx))
    record(name, ring.length(r, ring.ctx), s)
    ring.clear(r)


def division(name, ring, a, b):
    p, q = ring.new(), ring.new()
    ring.mul(p, a, b, ring.ctx)
    s = best(lambda: F.fmpz_mpoly_divides(q, p, a, ring.ctx))
    record(name, ring.length(q, ring.ctx), s)
    ring.clear(p), ring.clear(q)


def unit(n, v, d):
    return [d if i == v else 0 for i in range(n)]


def linear(ring, terms):
    n = ring.n
    return ring.poly([([0] * n, 1)] + [(unit(n, v, d), c) for v, d, c in terms])


def plus_one(ring, p):
    r = ring.new()
    F.fmpz_mpoly_add_si(r, p, C.c_long(1), ring.ctx)
    return r


SPARSE = ([(0, 1, 1), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 5, 5)], [(4, 1, 1), (3, 1, 1), (2, 2, 2), (1, 3, 3), (0, 5, 5)])


class Random:
    def __init__(self, state):
        self.s = state

    def next(self):
        m = (1 << 64) - 1
        self.s ^= (self.s << 13) & m
        self.s ^= self.s >> 7
        self.s ^= (self.s << 17) & m
        return self.s

    def support(self, n, d, count):
        return [([(self.next() >> 20) % (d + 1) for _ in range(n)], (self.next() >> 44) - (1 << 19)) for _ in range(count)]

    def number(self, bits):
        n = 0
        for _ in range(-(-bits // 64)):
            n = (n << 64) + self.next()
        return n % (1 << bits) | 1


def simplex(n, k, order=0):
    ring = Ring("fmpz_mpoly", n, order=order)
    return ring, ring.power(linear(ring, [(v, 1, 1) for v in range(n)]), k)


def fractions(ring, terms, k):
    base = ring.poly([([0] * ring.n, 1)])
    for v, d, c, below in terms:
        more, total = ring.poly([(unit(ring.n, v, d), c)], below), ring.new()
        F.fmpq_mpoly_add(total, base, more, ring.ctx)
        base = total
    return ring.power(base, k)


def rational_mixed():
    q = Ring("fmpq_mpoly", 4)
    f = fractions(q, [(0, 1, 1, 2), (1, 1, 1, 3), (2, 1, 1, 5), (3, 1, 1, 7)], 10)
    g = q.new()
    F.fmpq_mpoly_add(g, f, q.poly([([0] * 4, 1)]), q.ctx)
    product("rational mixed fateman 10", q, f, g)
    q = Ring("fmpq_mpoly", 5)
    f = fractions(q, [(0, 1, 1, 2), (1, 1, 1, 3), (2, 2, 2, 5), (3, 3, 3, 7), (4, 5, 5, 11)], 8)
    g = fractions(q, [(4, 1, 1, 2), (3, 1, 1, 3), (2, 2, 2, 5), (1, 3, 3, 7), (0, 5, 5, 11)], 8)
    product("rational mixed sparse 8", q, f, g)


def held(key):
    with open("/proc/self/status") as f:
        return next(int(row.split()[1]) * 1024 for row in f if row.startswith(key))


def memory():
    """Run in a process of its own: FLINT's peak for the factors of sparse 12 and their product, beyond that at the start."""
    before = held("VmRSS")
    ring = Ring("fmpz_mpoly", 5)
    f, g = (ring.power(linear(ring, t), 12) for t in SPARSE)
    r = ring.new()
    ring.mul(r, f, g, ring.ctx)
    print(ring.length(r, ring.ctx), held("VmHWM") - before)


def powers():
    cases = [("pow linear 30", 4, [(v, 1, 1) for v in range(4)], 30), ("pow sparse 20", 5, SPARSE[0], 20), ("pow dense 4", 4, None, 4)]
    for name, n, terms, k in cases:
        ring, base = simplex(4, 8) if terms is None else (Ring("fmpz_mpoly", n), None)
        base = base or linear(ring, terms)
        r = ring.new()
        s = best(lambda: F.fmpz_mpoly_pow_ui(r, base, C.c_ulong(k), ring.ctx))
        record(name, ring.length(r, ring.ctx), s)


def evaluation(k):
    """numpy, in two ways: tables of powers and one pass over all points for each factor of each term (the bar); and
    blocks of points that stay in the cache, each monomial one product of an earlier one, then one product with the
    matrix of coefficients ("best numpy")."""
    import numpy as np

    ring, p = simplex(4, k)
    terms, random = terms_of(ring, p), Random(88172645463325252)
    columns = [np.array([(random.next() >> 11) / 2**52 - 1 for _ in range(100_000)]) for _ in range(4)]

    def run():
        powers = []
        for x in columns:
            table = [np.ones_like(x)]
            for _ in range(k):
                table.append(table[-1] * x)
            powers.append(table)
        total = np.zeros_like(columns[0])
        for e, c in terms:
            term = c * powers[0][e[0]]
            for table, d in zip(powers[1:], e[1:]):
                if d:
                    term *= table[d]
            total += term
        return total

    def blocked(block):
        total = np.empty(100_000)
        rows = np.empty((len(terms), block))
        for first in range(0, 100_000, block):
            x = [c[first : first + block] for c in columns]
            n = len(x[0])
            for i, (v, j) in enumerate(plan):
                if v is None:
                    rows[i, :n] = 1
                else:
                    np.multiply(rows[j, :n], x[v], out=rows[i, :n])
            np.dot(weights, rows[:, :n], out=total[first : first + n])
        return total

    # Every monomial is a variable times one before it.
    order = sorted(terms, key=lambda t: sum(t[0]))
    place, plan = {}, []
    for i, (e, _) in enumerate(order):
        v = next((v for v in range(4) if e[v]), None)
        plan.append((v, None if v is None else place[tuple(e[u] - (u == v) for u in range(4))]))
        place[tuple(e)] = i
    weights = np.array([float(c) for _, c in order])
    assert np.allclose(run(), blocked(1024))
    record(f"eval {k}", len(terms), best(run, 1.0))
    for block in [256, 1024, 4096, 16384]:
        record(f"eval {k} best numpy", len(terms), best(lambda: blocked(block), 0.5))


def flint_cases(want):
    if want("pow"):
        powers()
    if want("memory"):
        out = subprocess.run([sys.executable, __file__, "--memory"], check=True, capture_output=True, text=True).stdout
        terms, peak = map(int, out.split())
        record("memory sparse 12", terms, peak * 1e-9 + OVERHEAD)
    if want("small"):
        for n, k in [(2, 1), (3, 2), (4, 2), (4, 3), (8, 2), (4, 4), (6, 3)]:
            ring, f = simplex(n, k)
            product(f"small {n} {k}", ring, f, plus_one(ring, f))
    for k in [6, 10, 15, 20]:
        ring, f = simplex(4, k)
        g = plus_one(ring, f)
        if want("fateman"):
            product(f"fateman {k}", ring, f, g)
        if want("divide fateman") and k > 6:
            division(f"divide fateman {k}", ring, f, g)
    if want("signed"):
        ring = Ring("fmpz_mpoly", 4)
        f = ring.power(linear(ring, [(0, 1, -2), (1, 1, 3), (2, 1, -1), (3, 1, 1)]), 20)
        product("signed 20", ring, f, plus_one(ring, f))
    for k in [6, 8, 10, 12]:
        ring = Ring("fmpz_mpoly", 5)
        f, g = (ring.power(linear(ring, t), k) for t in SPARSE)
        if want("sparse"):
            product(f"sparse {k}", ring, f, g)
        if want("divide sparse"):
            division(f"divide sparse {k}", ring, f, g)
    if want("eight"):
        for k in [4, 6]:
            ring, f = simplex(8, k)
            product(f"eight {k}", ring, f, plus_one(ring, f))
    random = Random(88172645463325252)
    for n, d in [(5, 30), (6, 100), (3, 1000), (8, 20)]:
        ring = Ring("fmpz_mpoly", n)
        f, g = (ring.poly(random.support(n, d, 3000)) for _ in range(2))
        if want("random"):
            product(f"random {n} {d}", ring, f, g)
    if want("bits"):
        sparse = Ring("fmpz_mpoly", 5)
        bases = [("4v8", *simplex(4, 8)), ("4v12", *simplex(4, 12)), ("sparse8", sparse, sparse.power(linear(sparse, SPARSE[0]), 8)), ("8v4", *simplex(8, 4))]
        for name, ring, base in bases:
            rows = [e for e, _ in terms_of(ring, base)]
            for bits in [100, 200, 500]:
                random = Random(1234567)
                f, g = (ring.poly([(e, random.number(bits)) for e in rows]) for _ in range(2))
                product(f"bits {name} {bits}", ring, f, g)
    if want("rational"):
        ring, f = simplex(4, 10)
        one = plus_one(ring, f)
        q = Ring("fmpq_mpoly", 4)
        product("rational fateman 10", q, q.poly(terms_of(ring, f), 6), q.poly(terms_of(ring, one), 6))
        ring, q = Ring("fmpz_mpoly", 5), Ring("fmpq_mpoly", 5)
        f, g = (ring.power(linear(ring, t), 8) for t in SPARSE)
        rational_mixed()
        product("rational sparse 8", q, q.poly(terms_of(ring, f), 6), q.poly(terms_of(ring, g), 6))
    if want("eval"):
        for k in [4, 8, 12]:
            evaluation(k)
    if want("modular"):
        z4, f = simplex(4, 20)
        pairs = [("fateman 20", 4, terms_of(z4, f), terms_of(z4, plus_one(z4, f)))]
        z5 = Ring("fmpz_mpoly", 5)
        pairs.append(("sparse 12", 5, *(terms_of(z5, z5.power(linear(z5, t), 12)) for t in SPARSE)))
        for p in [32003, 2147483647, 4611686018427387847]:
            for name, n, a, b in pairs:
                ring = Ring("nmod_mpoly", n, p)
                product(f"modular {name} {p}", ring, ring.poly(a), ring.poly(b))


def main():
    global OVERHEAD
    if sys.argv[1:] == ["--memory"]:
        return memory()
    wanted = sys.argv[1:]
    want = lambda name: not wanted or any(name.startswith(w) for w in wanted)
    ring, f = simplex(2, 1)
    OVERHEAD = best(lambda: F.fmpz_mpoly_length(f, ring.ctx), 0.2)
    build = ["cargo", "build", "--release", "--example", "poly_bench"]
    if not os.environ.get("SKIP_BUILD"):
        subprocess.run(build, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    ours = {}
    for _ in range(ROUNDS):
        out = subprocess.run([f"{target}/release/examples/poly_bench", *wanted], check=True, capture_output=True, text=True, env={**os.environ, "THREADS": str(THREADS)})
        for row in map(json.loads, out.stdout.splitlines()):
            old = ours.get(row["case"], row)
            ours[row["case"]] = min(old, row, key=lambda r: r["seconds"])
        flint_cases(want)
    print(f"FLINT {flint.__FLINT_VERSION__}, {THREADS} thread(s), least of {ROUNDS} rounds; ratio = FLINT / ours")
    print("| case | terms | FLINT ms | ours ms | ratio |\n|---|---|---|---|---|")
    for name, (terms, seconds) in RESULTS.items():
        row = ours[name.removesuffix(" best numpy")]
        same = "" if row["terms"] == terms else f" (!= {row['terms']})"
        print(f"| {name} | {terms}{same} | {seconds*1e3:.4g} | {row['seconds']*1e3:.4g} | {seconds/row['seconds']:.2f} |")


main()
