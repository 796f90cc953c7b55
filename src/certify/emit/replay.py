# Replays the certificate below with Python's own fractions; needs nothing else. Prints one line per claim.
import itertools, json
from fractions import Fraction as Q

CERTIFICATE = json.loads(@TEXT@)

def add(p, q, factor=1):
    for e, c in q.items():
        p[e] = p.get(e, 0) + factor * c
        if p[e] == 0:
            del p[e]
    return p

def merge(a, b):
    powers = dict(a)
    for name, k in b:
        powers[name] = powers.get(name, 0) + k
    return tuple(sorted((name, k) for name, k in powers.items() if k))

def mul(p, q):
    product = {}
    for a, c in p.items():
        for b, d in q.items():
            add(product, {merge(a, b): c * d})
    return product

def poly(t):
    if isinstance(t, str) and t[:1].isalpha():
        return {((t, 1),): Q(1)}
    if not isinstance(t, list):
        return add({}, {(): Q(t)})
    op, args = t[0], t[1:]
    if op == "^":
        base, result = poly(args[0]), {(): Q(1)}
        for _ in range(args[1]):
            result = mul(result, base)
        return result
    result = {} if op == "+" else {(): Q(1)}
    for arg in args:
        result = add(result, poly(arg)) if op == "+" else mul(result, poly(arg))
    return result

def algebra(kind, d):
    gap = poly(d["left"])
    for a, b in d["right"]:
        if kind == "sos":
            assert Q(a) >= 0
            a, b = poly(a), poly(b)
            a = mul(a, b)
        else:
            a, b = poly(a), poly(b)
        add(gap, mul(a, b), -1)
    return not gap

def expectation(p):
    total = Q(0)
    for e, c in p.items():
        for _, k in e:
            if k % 2:
                c = 0
            for odd in range(1, k, 2):
                c *= odd
        total += c
    return total

def moment(z, index):
    product = {(): Q(1)}
    for a in index:
        product = mul(product, z[a])
    return expectation(product)

def cumulant(z, index):
    value, rest = moment(z, index), range(1, len(index))
    for n in range(len(index) - 1):
        for part in itertools.combinations(rest, n):
            block = [index[0]] + [index[i] for i in part]
            others = [index[i] for i in rest if i not in part]
            value -= cumulant(z, block) * moment(z, others)
    return value

def gaussian(d):
    z = [poly(p) for p in d["polynomials"]]
    found = {"moment": moment, "cumulant": cumulant}
    return all(abs(found[w](z, i) - Q(v)) <= Q(d["tolerance"]) for w, i, v in d["values"])

def scalar(v):
    return {k: Q(c) for k, c in v if Q(c)} if isinstance(v, list) else add({}, {0: Q(v)})

def times(a, b):
    product = {}
    for k, c in a.items():
        for l, d in b.items():
            add(product, {k + l: c * d})
    return product

def tensor(d):
    target = {}
    if "matmul" in d["target"]:
        n, m, p = d["target"]["matmul"]
        for i, j, k in itertools.product(range(n), range(m), range(p)):
            target[i * m + j, j * p + k, i * p + k] = {0: Q(1)}
    else:
        shape = d["target"]["dense"]["shape"]
        for index, v in zip(itertools.product(*map(range, shape)), d["target"]["dense"]["entries"]):
            target[index] = scalar(v)
    gap, cp = {}, d["model"] == "cp"
    first = d["cores"][0]
    for start in range(len(first[0][0]) if cp else len(first)):
        paths = {((), start): {0: Q(1)}}
        for core in d["cores"]:
            longer = {}
            for (index, a), value in paths.items():
                for i, row in enumerate(core[0 if cp else a]):
                    for b, v in [(a, row[a])] if cp else enumerate(row):
                        term = times(value, scalar(v))
                        if term:
                            add(longer.setdefault((index + (i,), b), {}), term)
            paths = longer
        for (index, end), value in paths.items():
            if end == start:
                add(gap.setdefault(index, {}), value)
    for index, value in target.items():
        add(gap.setdefault(index, {}), value, -1)
    return gap, target

def factorisation(kind, d):
    gap, target = tensor(d)
    if kind == "numeric-residual":
        square = lambda t: sum((c * c for v in t.values() for c in v.values()), Q(0))
        return square(gap) <= Q(d["bound"]) ** 2 * square(target)
    for value in gap.values():
        folded = {}
        for k, c in value.items():
            if d["field"] == "Q(i)":
                k, c = k % 2, c * (1 if k % 4 < 2 else -1)
            add(folded, {k: c})
        for k, c in folded.items():
            if d["field"].startswith("mod ") and c.numerator % int(d["field"][4:]) == 0:
                continue
            if d["order"] == 0 or k < d["order"]:
                return False
    return True

good = True
for claim in CERTIFICATE["claims"]:
    kind, data = claim["kind"], claim["data"]
    if kind == "gaussian-moments":
        holds = gaussian(data)
    elif kind in ("polynomial-identity", "ideal-membership", "sos"):
        holds = algebra(kind, data)
    else:
        holds = factorisation(kind, data)
    good = good and holds
    print("TRUE " if holds else "FALSE", kind, claim["about"])
raise SystemExit(0 if good else 1)
