"""Polynomial arithmetic over families of random instances, against FLINT (and numpy for values at many points).

    pip install python-flint numpy
    python benches/peers/families_vs_flint.py [--seed N] [--rounds R] [WORD..]

Builds and runs benches/rust/poly_families.rs, draws the same instances here, and prints one line for each operation and family: seconds of
wall time on both sides (the least of several calls, rounds interleaved, one thread) and their ratio, above 1 where ours is
faster. Answers are compared: number of terms, and the value at a point modulo 2^61 - 1. `SKIP_BUILD=1` measures what is built;
`WICKRING_SIMD=avx2` or `scalar` caps the instructions of our side. Calls through python-flint cost about 0.2 us, which the tiny
families feel.
"""
import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import time

import flint
import numpy as np
from flint.utils.flint_exceptions import DomainError

M = (1 << 61) - 1
MASK = (1 << 64) - 1
CARGO = ["--release", "--no-default-features", "--features", "poly bench", "--example", "poly_families"]


class Random:
    """The sequence of the Rust program."""

    def __init__(self, seed):
        self.s = 88_172_645_463_325_252 ^ (seed * 0x9E37_79B9)
        for _ in range(20):
            self.next()

    def next(self):
        self.s ^= (self.s << 13) & MASK
        self.s ^= self.s >> 7
        self.s ^= (self.s << 17) & MASK
        return self.s

    def below(self, n):
        return (self.next() >> 20) % n

    def number(self, bits):
        n = 0
        for _ in range(-(-bits // 64)):
            n = (n << 64) + self.next()
        n = n % (1 << bits) + 1
        return -n if self.next() >> 40 & 1 else n

    def sparse(self, shape, n, bits, long):
        terms = {}
        for i in range(n):
            e = tuple(self.below(shape[1] + 1) for _ in range(shape[0]))
            terms[e] = terms.get(e, 0) + self.number(long if i % 100 == 0 else bits)
        return poly(shape[0], terms)

    def dense(self, shape, bits):
        n, side = shape[0], shape[1] + 1
        terms = {}
        for k in range(side**n):
            e = tuple(k // side ** (n - 1 - v) % side for v in range(n))
            terms[e] = self.number(bits)
        return poly(n, terms)


def context(n):
    return flint.fmpz_mpoly_ctx.get([f"x{v}" for v in range(n)], flint.Ordering.lex)


def poly(n, terms):
    """One variable goes to FLINT's dense type where that is what one would take."""
    top = max((sum(e) for e in terms), default=0)
    if n == 1 and top < 4 * len(terms):
        return flint.fmpz_poly([terms.get((k,), 0) for k in range(top + 1)])
    return context(n).from_dict(terms)


def terms_of(p):
    if isinstance(p, flint.fmpz_poly):
        return {(k,): int(c) for k, c in enumerate(p.coeffs()) if c != 0}
    return {e: int(c) for e, c in p.to_dict().items()}


def value(p):
    cache = {}
    total = 0
    for e, c in terms_of(p).items():
        m = c
        for v, k in enumerate(e):
            if k:
                key = (v, int(k))
                if key not in cache:
                    cache[key] = pow(3 * v + 5, int(k), M)
                m = m * cache[key] % M
        total += m
    return total % M


def best(f):
    start = time.perf_counter()
    f()
    t = time.perf_counter()
    f()
    once = time.perf_counter() - t
    calls = int(min(max(2e-4 / max(once, 1e-8), 1), 10_000))
    least, runs = 1e9, 0
    while runs < 4 or (time.perf_counter() - start < 0.2 and runs < 1000):
        t = time.perf_counter()
        for _ in range(calls):
            f()
        least = min(least, (time.perf_counter() - t) / calls)
        runs += 1
    return least


class Peer:
    def __init__(self, words):
        self.words, self.results = words, {}

    def wanted(self, name):
        return not self.words or any(w in name for w in self.words)

    def run(self, name, f):
        if self.wanted(name):
            answer = f()
            known = self.results.get(name)
            terms, at = known[:2] if known else (len(terms_of(answer)), value(answer))
            seconds = min(best(f), known[2] if known else 1e9)
            self.results[name] = (terms, at, seconds)

    def family(self, name, a, b, few):
        self.run(f"add {name}", lambda: a + b)
        self.run(f"mul {name}", lambda: a * b)
        self.run(f"square {name}", lambda: a * a)
        self.run(f"power {name}", lambda: few**5)
        if not (self.wanted(f"divide {name}") or self.wanted(f"inexact {name}")):
            return
        product = a * b
        inexact = product + 1
        dense = isinstance(b, flint.fmpz_poly)

        def quotient(p):
            if dense:
                q, r = divmod(p, b)
                return q if r == 0 else q * 0
            try:
                return p / b
            except DomainError:
                return p * 0

        self.run(f"divide {name}", lambda: quotient(product))
        self.run(f"inexact {name}", lambda: quotient(inexact))

    def compose(self, r, name, p, n):
        ctx = context(n)
        nvars = 1 if isinstance(p, flint.fmpz_poly) else p.context().nvars()
        images = []
        for _ in range(nvars):
            terms = {(0,) * n: r.number(5)}
            for v in range(n):
                terms[tuple(int(u == v) for u in range(n))] = r.number(5)
            images.append(poly(n, terms) if n == 1 else ctx.from_dict(terms))
        self.run(f"compose {name}", lambda: p(*images) if n == 1 else p.compose(*images))

    def evaluate(self, name, p, hessian):
        name = f"evaluate {name}"
        if hessian or not self.wanted(name):
            return
        points = 20_000
        terms = terms_of(p)
        n = len(next(iter(terms)))
        x = [((np.arange(points) * (2 * v + 3)) % 1000) / 1000.0 for v in range(n)]

        def values():
            powers = []
            for v in range(n):
                top = max(e[v] for e in terms)
                rows = [np.ones(points)]
                for _ in range(top):
                    rows.append(rows[-1] * x[v])
                powers.append(rows)
            total = np.zeros(points)
            for e, c in terms.items():
                m = float(c)
                for v, k in enumerate(e):
                    if k:
                        m = m * powers[v][k]
                total += m
            return total

        known = self.results.get(name)
        seconds = min(best(values), known[2] if known else 1e9)
        self.results[name] = (len(terms), float(values().sum()), seconds)


def peer_round(peer, seed):
    r = Random(seed)

    def few(shape):
        terms = {}
        for i in range(6):
            e = tuple(r.below(shape[1] + 1) for _ in range(shape[0]))
            terms[e] = terms.get(e, 0) + r.number(10)
        return context(shape[0]).from_dict(terms)

    for degree, bits in [(200, 20), (1000, 20), (4000, 20), (1000, 200), (300, 1000)]:
        a, b = r.dense((1, degree), bits), r.dense((1, degree), bits)
        peer.family(f"dense 1v d{degree} b{bits}", a, b, few((1, 40)))
    for shape in [(2, 20), (3, 6), (4, 4)]:
        a, b = r.dense(shape, 16), r.dense(shape, 16)
        peer.family(f"dense {shape[0]}v d{shape[1]}", a, b, few(shape))
    kinds = [
        ("sparse", (4, 30), 300, 20, 20),
        ("sparse 1v", (1, 6000), 1000, 20, 20),
        ("very sparse", (3, 1_000_000), 200, 30, 30),
        ("many variables", (20, 3), 200, 20, 20),
        ("mixed", (3, 20), 300, 20, 2000),
        ("huge", (2, 30), 100, 3000, 3000),
        ("tiny", (3, 2), 5, 10, 10),
        ("two words", (3, 20), 200, 63, 63),
    ]
    for name, shape, n, bits, long in kinds:
        a, b = r.sparse(shape, n, bits, long), r.sparse(shape, n, bits, long)
        if type(a) is not type(b):
            ctx = context(1)
            a, b = (p if not isinstance(p, flint.fmpz_poly) else ctx.from_dict(terms_of(p)) for p in (a, b))
        peer.family(name, a, b, few(shape))
    peer.compose(r, "dense 3v d2", r.dense((3, 2), 8), 3)
    peer.compose(r, "dense 1v d200", r.dense((1, 200), 20), 1)
    peer.compose(r, "sparse 5v d3", r.sparse((5, 3), 30, 8, 8), 5)
    for name, shape, n in [("4v d6", (4, 6), 200), ("8v d2", (8, 2), 300), ("1v d60", (1, 60), 200)]:
        p = r.sparse(shape, n, 10, 10)
        peer.evaluate(name, p, False)
        peer.evaluate(f"{name} hessian", p, True)
    form = {}
    for i in range(20):
        for j in range(i, 20):
            form[tuple((v == i) + (v == j) for v in range(20))] = r.number(10)
    peer.evaluate("form 20v", context(20).from_dict(form), False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    command = os.environ.get("POLY_FAMILIES", "target/release/examples/poly_families")
    if not os.environ.get("SKIP_BUILD"):
        subprocess.run(["cargo", "build", "--quiet", *CARGO], check=True)
    ours, peer = {}, Peer(args.words)
    for _ in range(args.rounds):
        out = subprocess.run([command, "--seed", str(args.seed), *args.words], check=True, capture_output=True, text=True,
                             env={**os.environ, "RAYON_NUM_THREADS": "1"})
        for line in map(json.loads, out.stdout.splitlines()):
            known = ours.get(line["case"])
            line["seconds"] = min(line["seconds"], known["seconds"] if known else 1e9)
            ours[line["case"]] = line
        peer_round(peer, args.seed)
    wrong, ratios = [], {}
    print(f"{'case':34}{'terms':>9}{'peer ms':>12}{'ours ms':>12}{'ratio':>9}")
    for name, line in ours.items():
        found = peer.results.get(name)
        if found is None:
            print(f"{name:34}{line['terms']:>9}{'':>12}{line['seconds'] * 1e3:>12.4f}")
            continue
        terms, at, seconds = found
        if name.startswith("evaluate"):
            own = struct.unpack("<d", struct.pack("<Q", line["value"]))[0]
            same = abs(own - at) <= 1e-9 * max(abs(at), 1.0) * 1e3
        else:
            same = (line["terms"], line["value"]) == (terms, at)
        if not same:
            wrong.append(name)
        ratio = seconds / line["seconds"]
        ratios.setdefault(name.split()[0], []).append(ratio)
        print(f"{name:34}{line['terms']:>9}{seconds * 1e3:>12.4f}{line['seconds'] * 1e3:>12.4f}{ratio:>9.2f}"
              + ("" if same else "   ANSWERS DIFFER"))
    for operation, found in ratios.items():
        print(f"{operation:12} median {statistics.median(found):6.2f}   least {min(found):6.2f}")
    if wrong:
        sys.exit(f"answers differ: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
