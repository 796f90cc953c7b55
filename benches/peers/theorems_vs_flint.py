"""Theorems of certificates against python-flint: balls of real numbers, exact matrices, complex roots.

    python benches/peers/theorems_vs_flint.py CERTIFICATE...

Nothing is shared with the checker or with the emitted replay. For claims within a radius Newton's method runs in balls
of 400 bits from the printed point, the limit must lie within the radius with a residual below 2^-300, and the Hessian of
a minimum must have an LDL' factorisation with positive balls. For slices the eigenvalues are those of
`fmpq_mat.charpoly`, isolated by `complex_roots`; Koszul flattenings and Kruskal's minors are ranks of `nmod_mat`.
Prints one line for each claim and exits with 1 when a claim that stands in a certificate is not confirmed.
"""

import itertools
import json
import math
import sys
from fractions import Fraction
from pathlib import Path

from flint import arb, arb_mat, ctx, fmpq, fmpq_mat, nmod_mat

ctx.prec = 400
TINY = arb(2) ** -300


def fraction(value):
    return Fraction(value) if isinstance(value, str) else Fraction(int(value))


def rational(value):
    f = fraction(value)
    return fmpq(f.numerator, f.denominator)


def ball(value):
    f = Fraction(value)
    return arb(f.numerator) / arb(f.denominator)


def entries(target):
    """The shape and the entries by index."""
    if "matmul" in target:
        n, m, p = target["matmul"]
        shape = [n * m, m * p, n * p]
        ones = {(i * m + j, j * p + k, i * p + k) for i in range(n) for j in range(m) for k in range(p)}
        return shape, {i: Fraction(int(i in ones)) for i in itertools.product(*map(range, shape))}
    shape = target["dense"]["shape"]
    indices = itertools.product(*map(range, shape))
    return shape, dict(zip(indices, map(fraction, target["dense"]["entries"])))


def slices(data):
    shape, values = entries(data["target"])
    mode = data["mode"]
    rows, columns = [k for k in range(3) if k != mode]

    def entry(s, i, j):
        index = [0, 0, 0]
        index[mode], index[rows], index[columns] = s, i, j
        return values[tuple(index)]

    def matrix(weights):
        sums = [[sum(w * entry(s, i, j) for s, w in enumerate(weights)) for j in range(shape[columns])]
                for i in range(shape[rows])]
        return fmpq_mat([[fmpq(x.numerator, x.denominator) for x in row] for row in sums])

    units = [[int(s == k) for s in range(shape[mode])] for k in range(shape[mode])]
    a, b = ([int(w) for w in data[name]] for name in "ab")
    whole, second = matrix(a), matrix(b)
    pivots = lambda m: [next(j for j in range(m.ncols()) if m[i, j]) for i in range(m.rank())]
    row_set, column_set = pivots(whole.transpose().rref()[0]), pivots(whole.rref()[0])
    cut = lambda m: fmpq_mat([[m[i, j] for j in column_set] for i in row_set])
    inverse = cut(whole).inv()
    xs, x = [cut(matrix(u)) * inverse for u in units], cut(second) * inverse
    return len(row_set), xs, x, [matrix(u) for u in units], whole


def commuting(data):
    rank, xs, x, tensors, whole = slices(data)
    if any(x * y != y * x for y in xs) or rank != data["rank"]:
        return False
    roots = x.charpoly().complex_roots()
    real = sum(1 for root, _ in roots if root.imag == 0)
    simple = len(roots) == rank and all(multiplicity == 1 for _, multiplicity in roots)
    wide = fmpq_mat([[v for t in tensors for v in (t[i, j] for j in range(t.ncols()))] for i in range(whole.nrows())])
    tall = fmpq_mat([[v for t in tensors for v in (t[i, j] for i in range(t.nrows()))] for j in range(whole.ncols())])
    return simple and wide.rank() == tall.rank() == rank and (real == rank) == data["real"]


def above(data):
    rank, xs, x, _, _ = slices(data)
    if rank != data["rank"]:
        return rank > data["rank"]
    if any(x * y != y * x for y in xs):
        return True
    if data["border"]:
        return False
    value, squarefree = x - x, x.charpoly() // x.charpoly().gcd(x.charpoly().derivative())
    for k in range(squarefree.degree(), -1, -1):
        value = value * x
        for i in range(rank):
            value[i, i] += squarefree[k]
    return value != x - x


def border(data):
    shape, values = entries(data["target"])
    mode, p, prime = data["mode"], data["p"], data["prime"]
    projection = [[int(w) for w in row] for row in data["projection"]]
    one, two = [n for k, n in enumerate(shape) if k != mode]
    common = math.lcm(*(v.denominator for v in values.values()))
    projected = {}
    for index, value in values.items():
        bc = index[:mode] + index[mode + 1:]
        for i, row in enumerate(projection):
            projected[i, bc] = projected.get((i, bc), 0) + row[index[mode]] * int(value * common)
    larger = {s: k for k, s in enumerate(itertools.combinations(range(2 * p + 1), p + 1))}
    smaller = list(itertools.combinations(range(2 * p + 1), p))
    matrix = [[0] * (len(larger) * two) for _ in range(len(smaller) * one)]
    for k, s in enumerate(smaller):
        for i in set(range(2 * p + 1)) - set(s):
            joined = tuple(sorted(s + (i,)))
            for b, c in itertools.product(range(one), range(two)):
                sign = -1 if joined.index(i) % 2 else 1
                matrix[k * one + b][larger[joined] * two + c] = sign * projected[i, (b, c)] % prime
    return -(-nmod_mat(matrix, prime).rank() // math.comb(2 * p, p)) >= data["bound"]


def unique(data, earlier):
    cores = earlier[data["model"]]["data"]["cores"]
    factors = [[[rational(v) for v in row] for row in core[0]] for core in cores]
    rank = len(factors[0][0])
    good = all(fmpq_mat([[row[r] for r in some] for row in f]).rank() == k
               for f, k in zip(factors, data["ranks"]) for some in itertools.combinations(range(rank), k))
    return good and (rank == 1 or sum(data["ranks"]) >= 2 * rank + len(factors) - 1)


def polynomials(kind, data):
    """Equations as lists of (coefficient, variables), printed coordinates, and which are unknown."""
    if kind == "poly-zero":
        place = {name: k for k, name in enumerate(data["variables"])}
        system = []
        for equation in data["equations"]:
            terms = []
            for term in equation[1:]:
                factors = []
                for part in term[2:]:
                    name, power = (part, 1) if isinstance(part, str) else part[1:]
                    factors += [place[name]] * int(power)
                terms.append((fraction(term[1]), factors))
            system.append(terms)
        return system, data["point"], list(range(len(place)))
    shape, values = entries(data["target"])
    sizes = [(len(c), len(c[0]), len(c[0][0])) for c in data["cores"]]
    starts = list(itertools.accumulate([0] + [a * n * b for a, n, b in sizes]))
    at = lambda k, a, i, b: starts[k] + (a * sizes[k][1] + i) * sizes[k][2] + b
    rank = sizes[0][2]

    def monomials(index):
        if kind.startswith("cp"):
            return [[at(k, 0, i, r) for k, i in enumerate(index)] for r in range(rank)]
        if kind.startswith("symmetric"):
            return [[at(0, 0, 0, r)] + [at(1, 0, i, r) for i in index] for r in range(rank)]
        bonds = itertools.product(*(range(left) for left, _, _ in sizes))
        return [[at(k, b[k], i, b[(k + 1) % len(b)]) for k, i in enumerate(index)] for b in bonds]

    keep = lambda index: not kind == "symmetric-exists" or list(index) == sorted(index)
    system = [[(Fraction(1), m) for m in monomials(i)] + [(-v, [])] for i, v in values.items() if keep(i)]
    return system, [v for core in data["cores"] for s in core for row in s for v in row], data["unknowns"]


def jets(system, x, unknowns):
    """Values, gradients and second derivatives by unknowns, in balls."""
    place = {u: k for k, u in enumerate(unknowns)}
    product = lambda c, f: math.prod((x[v] for v in f), start=ball(c))
    for terms in system:
        first, second = {}, {}
        for c, f in terms:
            for k, v in enumerate(f):
                if v in place:
                    rest = f[:k] + f[k + 1:]
                    first[place[v]] = first.get(place[v], arb(0)) + product(c, rest)
                    for l, w in enumerate(rest):
                        if w in place:
                            key = place[v], place[w]
                            second[key] = second.get(key, arb(0)) + product(c, rest[:l] + rest[l + 1:])
        yield sum((product(c, f) for c, f in terms), arb(0)), first, second


def near(kind, data):
    system, printed, unknowns = polynomials(kind, data)
    x = [ball(Fraction(int(v), 2 ** data["scale"])) for v in printed]
    start, n, minimum = list(x), len(unknowns), kind.endswith("minimiser")
    for _ in range(7):
        values, matrix = [arb(0)] * n, [[arb(0)] * n for _ in range(n)]
        for e, (f, first, second) in enumerate(jets(system, x, unknowns)):
            if not minimum:
                values[e] = f
                for u, j in first.items():
                    matrix[e][u] = j
                continue
            for u, j in first.items():
                values[u] += f * j
                for v, k in first.items():
                    matrix[u][v] += j * k
            for (u, v), s in second.items():
                matrix[u][v] += f * s
        step = arb_mat(matrix).solve(arb_mat([[v] for v in values]))
        for k, u in enumerate(unknowns):
            x[u] = (x[u] - step[k, 0]).mid()
    n_, e_ = data["radius"]
    radius = ball(Fraction(int(n_)) * Fraction(2) ** int(e_))
    inside = all(abs(x[u] - start[u]) < radius for u in unknowns)
    return inside and all(abs(v) < TINY for v in values) and (not minimum or positive(matrix))


def positive(h):
    """Whether Cholesky's pivots are positive balls."""
    n, h = len(h), [list(row) for row in h]
    for k in range(n):
        if not h[k][k] > 0:
            return False
        for i in range(k + 1, n):
            factor = h[i][k] / h[k][k]
            for j in range(k + 1, n):
                h[i][j] -= factor * h[k][j]
    return True


def main():
    bad = 0
    for path in sys.argv[1:]:
        claims = json.loads(Path(path).read_text())["claims"]
        for k, claim in enumerate(claims):
            kind, data = claim["kind"], claim["data"]
            judges = {"cp-commuting": commuting, "rank-above": above, "border-rank": border}
            if kind in judges:
                good = judges[kind](data)
            elif kind == "cp-unique":
                good = unique(data, claims[:k])
            elif kind.endswith(("-exists", "-minimiser", "poly-zero")):
                good = near(kind, data)
            else:
                continue
            bad += not good
            print("confirmed" if good else "NOT CONFIRMED", kind, path, flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
