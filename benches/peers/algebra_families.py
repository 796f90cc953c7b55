"""Operations on random families of polynomials, against FLINT (python-flint).

    cargo build --release --no-default-features --features bench,groebner --example algebra_families
    python benches/peers/algebra_families.py --seed 1 [--count 3] [--only gcd] [--program target/release/examples/algebra_families]

Instances are drawn from the seed; both sides' answers are compared, and each line gives the ratio of FLINT's time to ours for a
family: the median over its instances of the least time of a few calls.
"""

import argparse
import json
import random
import re
import statistics
import subprocess
import sys
import time

import flint


def names(n):
    return [f"x{i}" for i in range(n)]


class Side:
    """Polynomials of FLINT in n variables, over Z or modulo p."""

    def __init__(self, n, p=0):
        self.n, self.p = n, p
        order = flint.Ordering.lex
        if p:
            self.ctx = flint.nmod_mpoly_ctx.get(names(n), modulus=p, ordering=order)
        else:
            self.ctx = flint.fmpz_mpoly_ctx.get(names(n), order)

    def poly(self, terms):
        kept = {e: c % self.p if self.p else c for e, c in terms.items()}
        return self.ctx.from_dict({e: c for e, c in kept.items() if c})

    def read(self, text):
        """The polynomial of a text that wickring wrote."""
        terms = {}
        text = text.replace(" ", "").replace("-", "+-")
        for part in filter(None, text.split("+")):
            c, e = 1, [0] * self.n
            if part[0] == "-":
                c, part = -1, part[1:]
            for factor in part.split("*"):
                match = re.fullmatch(r"x(\d+)(?:\^(\d+))?", factor)
                if match:
                    e[int(match[1])] += int(match[2] or 1)
                else:
                    c *= int(factor)
            terms[tuple(e)] = terms.get(tuple(e), 0) + c
        return self.poly(terms)


def text(p):
    return str(p).replace("**", "^")


def dense(rng, side, degree, bits=10):
    """All monomials up to a total degree."""

    def rows(n, d):
        if n == 0:
            yield ()
            return
        for k in range(d + 1):
            for rest in rows(n - 1, d - k):
                yield (k, *rest)

    return side.poly({e: rng.randint(-(1 << bits), 1 << bits) for e in rows(side.n, degree)})


def sparse(rng, side, degree, terms, bits=10):
    row = lambda: tuple(rng.randint(0, degree) for _ in range(side.n))
    return side.poly({row(): rng.randint(1, 1 << bits) * rng.choice([-1, 1]) for _ in range(terms)})


def with_power(rng, side, degree, terms, v=0):
    """A sparse polynomial that contains a power of variable v alone."""
    e = [0] * side.n
    e[v] = degree
    return sparse(rng, side, degree, terms) + side.poly({tuple(e): 1 + rng.randint(0, 5)})


# Families: name, operation, a function of a random generator that gives (side, polynomials).
def gcd_of(n, make, p=0):
    def draw(rng):
        side = Side(n, p)
        g, u, w = (make(rng, side) for _ in range(3))
        return side, [g * u, g * w]

    return draw


def pair_of(n, make, p=0):
    def draw(rng):
        side = Side(n, p)
        return side, [make(rng, side), make(rng, side)]

    return draw


def product_of(n, k, make, p=0):
    def draw(rng):
        side = Side(n, p)
        product = side.poly({(0,) * n: 1})
        for _ in range(k):
            product *= make(rng, side)
        return side, [product]

    return draw


def divisor(rng):
    side = Side(4)
    g = dense(rng, side, 3)
    return side, [g * dense(rng, side, 3), g]


def wide(rng):
    """A common divisor of deep cancellations: powers that differ by little, and contents in every variable."""
    side = Side(3)
    x, y, z = side.ctx.gens()
    g = (x + y) ** 3 * (y - z) ** 2 + 2**200
    return side, [g * (x**5 - y**5) * 3**40, g * (x**5 - y**5 + 1) * 6**30 * (y - z)]


FAMILIES = [
    ("gcd 2v dense 15", "gcd", gcd_of(2, lambda r, s: dense(r, s, 15))),
    ("gcd 3v dense 6", "gcd", gcd_of(3, lambda r, s: dense(r, s, 6))),
    ("gcd 3v dense 12", "gcd", gcd_of(3, lambda r, s: dense(r, s, 12))),
    ("gcd 4v dense 5", "gcd", gcd_of(4, lambda r, s: dense(r, s, 5))),
    ("gcd 5v dense 3", "gcd", gcd_of(5, lambda r, s: dense(r, s, 3))),
    ("gcd 5v dense 4", "gcd", gcd_of(5, lambda r, s: dense(r, s, 4))),
    ("gcd coprime 3v dense 12", "gcd", pair_of(3, lambda r, s: dense(r, s, 12))),
    ("gcd coprime 5v dense 5", "gcd", pair_of(5, lambda r, s: dense(r, s, 5))),
    ("gcd coprime 8v sparse", "gcd", pair_of(8, lambda r, s: sparse(r, s, 4, 30))),
    ("gcd 3v d20 10 terms", "gcd", gcd_of(3, lambda r, s: sparse(r, s, 20, 10))),
    ("gcd 5v d4 8 terms", "gcd", gcd_of(5, lambda r, s: sparse(r, s, 4, 8))),
    ("gcd 5v d10 8 terms", "gcd", gcd_of(5, lambda r, s: sparse(r, s, 10, 8))),
    ("gcd 8v d3 8 terms", "gcd", gcd_of(8, lambda r, s: sparse(r, s, 3, 8))),
    ("gcd 10v d2 6 terms", "gcd", gcd_of(10, lambda r, s: sparse(r, s, 2, 6))),
    ("gcd 4v divisor", "gcd", divisor),
    ("gcd huge content", "gcd", wide),
    ("gcd 3v 200-bit", "gcd", gcd_of(3, lambda r, s: dense(r, s, 4, 200))),
    ("gcd 1v 200", "gcd", gcd_of(1, lambda r, s: dense(r, s, 200))),
    ("gcd 1v 1000", "gcd", gcd_of(1, lambda r, s: dense(r, s, 1000))),
    ("gcd 1v 200 500-bit", "gcd", gcd_of(1, lambda r, s: dense(r, s, 200, 500))),
    ("gcd mod 2^31-1 3v dense 6", "gcd", gcd_of(3, lambda r, s: dense(r, s, 6), 2**31 - 1)),
    ("gcd mod 32003 5v sparse", "gcd", gcd_of(5, lambda r, s: sparse(r, s, 4, 8), 32003)),
    ("gcd mod 17 3v sparse", "gcd", gcd_of(3, lambda r, s: sparse(r, s, 6, 6), 17)),
    ("resultant 1v 100", "resultant", pair_of(1, lambda r, s: dense(r, s, 100))),
    ("resultant 1v 400", "resultant", pair_of(1, lambda r, s: dense(r, s, 400))),
    ("resultant 2v dense 10", "resultant", pair_of(2, lambda r, s: dense(r, s, 10))),
    ("resultant 3v dense 5", "resultant", pair_of(3, lambda r, s: dense(r, s, 5))),
    ("resultant 4v dense 2", "resultant", pair_of(4, lambda r, s: dense(r, s, 2))),
    ("resultant 4v dense 3", "resultant", pair_of(4, lambda r, s: dense(r, s, 3))),
    ("resultant 3v sparse", "resultant", pair_of(3, lambda r, s: with_power(r, s, 6, 6))),
    ("discriminant 1v 100", "discriminant", product_of(1, 1, lambda r, s: dense(r, s, 100))),
    ("discriminant 2v dense 12", "discriminant", product_of(2, 1, lambda r, s: dense(r, s, 12))),
    ("factor 1v 2 x 50", "factor", product_of(1, 2, lambda r, s: dense(r, s, 50))),
    ("factor 1v 5 x 20", "factor", product_of(1, 5, lambda r, s: dense(r, s, 20))),
    ("factor 1v irreducible 100", "factor", product_of(1, 1, lambda r, s: dense(r, s, 100))),
    ("factor 2v 4 x 4", "factor", product_of(2, 2, lambda r, s: dense(r, s, 4))),
    ("factor 2v 8 x 8", "factor", product_of(2, 2, lambda r, s: dense(r, s, 8))),
    ("factor 3v quadrics", "factor", product_of(3, 2, lambda r, s: dense(r, s, 2))),
    ("factor 5v sparse", "factor", product_of(5, 2, lambda r, s: sparse(r, s, 5, 6))),
]


def generic(op, m, n=0):
    """Polynomials whose coefficients are symbols."""

    def draw(_rng):
        count = 1 + (m + 1) + (n + 1 if n else 0)  # the symbols after the variable
        side = Side(count)
        x, *c = side.ctx.gens()
        p = sum((c[k] * x**k for k in range(m + 1)), 0 * x)
        if not n:
            return side, [p]
        q = sum((c[m + 1 + k] * x**k for k in range(n + 1)), 0 * x)
        return side, [p, q]

    return draw


FAMILIES += [
    ("resultant generic quadratics", "resultant", generic("resultant", 2, 2)),
    ("resultant generic quartics", "resultant", generic("resultant", 4, 4)),
    ("discriminant generic 4", "discriminant", generic("discriminant", 4)),
    ("discriminant generic 5", "discriminant", generic("discriminant", 5)),
    ("discriminant generic 6", "discriminant", generic("discriminant", 6)),
]


def theirs(op, side, polys):
    if op == "gcd":
        if side.n == 1 and not side.p:
            a, b = (flint.fmpz_poly([int(p[(k,)]) for k in range(p.degrees()[0] + 1)]) for p in polys)
            return lambda: a.gcd(b)
        return lambda: polys[0].gcd(polys[1])
    if op == "resultant":
        return lambda: polys[0].resultant(polys[1], "x0")
    if op == "discriminant":
        return lambda: polys[0].discriminant("x0")
    if side.n == 1:
        p = polys[0]
        f = flint.fmpz_poly([int(p[(k,)]) for k in range(p.degrees()[0] + 1)])
        return lambda: f.factor()
    return lambda: polys[0].factor()


def timed(call):
    best, start = float("inf"), time.perf_counter()
    for _ in range(5):
        t = time.process_time()
        found = call()
        best = min(best, time.process_time() - t)
        if time.perf_counter() - start > 0.5:
            break
    return best, found


def same(op, side, ours, found):
    """Whether both answers are equal, up to units where there is a choice."""
    if op == "factor":
        listed = sum(k for _, k in ours[1])
        return listed == sum(k for _, k in found[1])
    mine = side.read(ours)
    if isinstance(found, flint.fmpz_poly):
        found = side.poly({(k,): int(c) for k, c in enumerate(found.coeffs())})
    if op == "gcd" and not side.p:
        # Ours is primitive.
        found = found.primitive()[1] if hasattr(found, "primitive") else found
        return mine == found or mine == -found
    if op == "gcd":
        return mine == found or (mine.divides(found) if hasattr(mine, "divides") else divides(mine, found))
    return mine == found


def divides(a, b):
    return divmod(b, a)[1] == 0 and divmod(a, b)[1] == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--program", default="target/release/examples/algebra_families")
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    wrong = 0
    for name, op, draw in FAMILIES:
        if args.only not in name:
            continue
        rng = random.Random(f"{args.seed} {name}")
        instances = [draw(rng) for _ in range(args.count)]
        lines = [
            json.dumps(
                {
                    "op": op,
                    "vars": names(side.n),
                    "polys": [text(p) for p in polys],
                    "p": side.p,
                    "seconds": args.seconds,
                }
            )
            for side, polys in instances
        ]
        ran = subprocess.run([args.program], input="\n".join(lines), capture_output=True, text=True, check=True)
        ratios, ours_all, theirs_all = [], [], []
        for (side, polys), line in zip(instances, ran.stdout.splitlines(), strict=True):
            ours = json.loads(line)
            if "error" in ours:
                print(f"{name}: {ours['error']}")
                continue
            seconds, found = timed(theirs(op, side, polys))
            if not same(op, side, ours["answer"], found):
                wrong += 1
                print(f"{name}: DIFFERENT: {[text(p) for p in polys]}"[:2000])
                continue
            ratios.append(seconds / ours["seconds"])
            ours_all.append(ours["seconds"])
            theirs_all.append(seconds)
        if ratios:
            print(
                f"{name:32} FLINT {statistics.median(theirs_all) * 1e3:9.3f} ms"
                f"  ours {statistics.median(ours_all) * 1e3:9.3f} ms  ratio {statistics.median(ratios):.2f}",
                flush=True,
            )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
