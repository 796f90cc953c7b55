# Replays the certificate below with Python's own fractions; needs nothing else. Prints one line per claim.
# Claims that hold only the digest of a tensor or sample need its .npy files as arguments.
# It follows the definitions of docs/FORMATS.md on its own: there are no limits here but those of the machine.
import ast, hashlib, itertools, json, math, struct, sys
from fractions import Fraction

CERTIFICATE = @TEXT@


class Malformed(Exception):
    """The text is no certificate."""


def need(condition, what):
    if not condition:
        raise Malformed(what)


# ---- reading: numbers stay texts until their place says what they may be

class Number(str):
    """A number as written in JSON."""


def unique(pairs):
    names = [name for name, _ in pairs]
    need(len(set(names)) == len(names), "a repeated field")
    return dict(pairs)


def constant(name):
    raise Malformed(name)


def read(text):
    try:
        whole = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=constant,
                           object_pairs_hook=unique)
        canonical(whole)  # texts must be Unicode
        return whole
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error))


def is_text(value):
    return isinstance(value, str) and not isinstance(value, Number)


def is_integer(value):
    return isinstance(value, Number) and value.lstrip("-").isdigit()


def fields(value, *names):
    need(isinstance(value, dict) and set(value) == set(names), "the fields %s" % (names,))
    return [value[name] for name in names]


def sequence(value):
    need(isinstance(value, list), "a list")
    return value


def integer(value, least):
    need(is_integer(value) and int(value) >= least, "a whole number")
    return int(value)


def rational(value, floats=False):
    if is_integer(value):
        return Fraction(int(value))
    if isinstance(value, Number):
        nearest = float(value)
        need(floats and nearest not in (float("inf"), float("-inf")), "a float where none may stand")
        return Fraction(nearest)
    need(is_text(value), "a number")
    top, slash, bottom = value.partition("/")
    digits = [top[1:] if top[:1] == "-" else top] + ([bottom] if slash else [])
    need(all(d and set(d) <= set("0123456789") for d in digits), "a number")
    need(not slash or int(bottom), "a denominator other than zero")
    return Fraction(int(top), int(bottom) if slash else 1)


# ---- the seal

def canonical(value):
    if value is None:
        return b"n"
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, Number):
        if is_integer(value):
            return b"i%d;" % int(value)
        nearest = float(value)
        if nearest.is_integer():
            return b"i%d;" % int(nearest)
        return b"d" + struct.pack(">d", nearest).hex().encode()
    if isinstance(value, str):
        raw = value.encode()
        return b"s%d:" % len(raw) + raw
    if isinstance(value, list):
        return b"[" + b"".join(map(canonical, value)) + b"]"
    inside = sorted((name.encode(), content) for name, content in value.items())
    return b"{" + b"".join(b"s%d:" % len(n) + n + canonical(c) for n, c in inside) + b"}"


def sealed(text, whole):
    seal = whole["seal"]
    if whole["schema"] == "wickring/certificate/1":
        content = text.replace(seal, "0" * 64, 1).encode()
    else:
        content = canonical({name: value for name, value in whole.items() if name != "seal"})
    return hashlib.sha256(content).hexdigest() == seal


# ---- polynomials: a dictionary from sorted tuples (name, power) to coefficients

def plus(p, q):
    total = dict(p)
    for key, value in q.items():
        total[key] = total.get(key, 0) + value
    return {key: value for key, value in total.items() if value}


def scaled(p, factor):
    return {key: factor * value for key, value in p.items() if factor * value}


def times(p, q):
    total = {}
    for a, x in p.items():
        for b, y in q.items():
            powers = dict(a)
            for name, k in b:
                powers[name] = powers.get(name, 0) + k
            key = tuple(sorted(powers.items()))
            total[key] = total.get(key, 0) + x * y
    return {key: value for key, value in total.items() if value}


def polynomial(tree):
    if is_text(tree) and tree and (tree[0].isalpha() if tree[0].isascii() else True):
        return {((tree, 1),): Fraction(1)}
    if not isinstance(tree, list):
        return scaled({(): Fraction(1)}, rational(tree))
    need(tree and is_text(tree[0]), "an operator")
    op, args = tree[0], tree[1:]
    if op == "+":
        total = {}
        for arg in args:
            total = plus(total, polynomial(arg))
        return total
    need(op == "*" or (op == "^" and len(args) == 2), "an operator")
    factors = [polynomial(arg) for arg in args] if op == "*" else []
    if op == "^":
        base, count = polynomial(args[0]), integer(args[1], 0)
        factors = itertools.repeat(base, count)
    total = {(): Fraction(1)}
    for factor in factors:
        total = times(total, factor)
    return total


def algebra(kind, data):
    left, right = fields(data, "left", "right")
    wanted, total, pairs, numbers = polynomial(left), {}, [], False
    for pair in sequence(right):
        need(len(sequence(pair)) == 2, "a pair")
        a, b = map(polynomial, pair)
        if kind == "sos":
            if any(key for key in a) or a.get((), 0) < 0:
                return "FALSE"
            b = times(b, b)
        pairs.append((a, b))
        numbers = numbers or set(a) == {()}
        total = plus(total, times(a, b))
    if total != wanted:
        return "FALSE"
    nothing = not wanted and all(not times(a, b) for a, b in pairs)
    if kind == "ideal-membership":
        return "VACUOUS" if numbers or not wanted else "TRUE"
    if kind == "sos":
        return "VACUOUS" if nothing or same(left, right) else "TRUE"
    written = not isinstance(left, list) or len(left) == 1
    return "VACUOUS" if same(left, right) or (nothing and written) else "TRUE"


def same(left, right):
    return len(right) == 1 and isinstance(right[0][0], Number) and right[0] == ["1", left] and typed(right[0][1], left)


def typed(a, b):
    """Whether two equal trees agree in what is a number and what is a text."""
    if isinstance(a, list):
        return all(typed(x, y) for x, y in zip(a, b))
    return isinstance(a, Number) == isinstance(b, Number)


# ---- moments, by pairing: E[x * m] = sum over the other x of E[m without that x]

def gaussian_power(k):
    return 0 if k % 2 else math.prod(range(1, k, 2))


def mean(p):
    total = Fraction(0)
    for powers, value in p.items():
        for _, k in powers:
            value *= gaussian_power(k)
        total += value
    return total


def moment(outputs, index):
    product = {(): Fraction(1)}
    for a in index:
        product = times(product, outputs[a])
    return mean(product)


def partitions(items):
    if not items:
        yield []
        return
    for rest in partitions(items[1:]):
        yield [[items[0]]] + rest
        for k in range(len(rest)):
            yield rest[:k] + [[items[0]] + rest[k]] + rest[k + 1:]


def cumulant(outputs, index):
    # sum over set partitions of (-1)^(b-1) (b-1)! times the product of the moments of the b blocks
    known, total = {}, Fraction(0)
    for blocks in partitions(list(range(len(index)))):
        term = Fraction(1)
        for b in range(1, len(blocks)):
            term *= -b
        for block in blocks:
            key = tuple(sorted(index[i] for i in block))
            if key not in known:
                known[key] = moment(outputs, key)
            term *= known[key]
        total += term
    return total


def gaussian(data):
    polynomials, values, tolerance = fields(data, "polynomials", "values", "tolerance")
    outputs = [polynomial(p) for p in sequence(polynomials)]
    tolerance = rational(tolerance)
    informative = tolerance == 0 and len(sequence(values)) > 0
    for item in sequence(values):
        need(len(sequence(item)) == 3 and is_text(item[0]) and item[0] in ("moment", "cumulant"), "a value")
        index = [integer(a, 0) for a in sequence(item[1])]
        need(index and max(index) < len(outputs), "indices of outputs")
        exact = (moment if item[0] == "moment" else cumulant)(outputs, index)
        if abs(exact - rational(item[2])) > tolerance:
            return "FALSE"
        informative = informative or abs(exact) > tolerance
    return "TRUE" if informative else "VACUOUS"


# ---- factorisations, entry by entry of the tensor; scalars are dictionaries from powers to coefficients

class Field:
    def __init__(self, name, order):
        need(is_text(name), "a field")
        self.name, self.order, self.modulus = name, order, None
        if name.startswith("mod "):
            digits = name[4:]
            need(digits.isascii() and digits.isdigit() and str(int(digits)) == digits and int(digits) > 1, "a modulus")
            self.modulus = int(digits)
        else:
            need(name in ("ZT", "Z", "Z[1/2]", "Q", "binary64", "Q(i)", "Q[x,1/x]"), "a field")
        need(order == 0 or name == "Q[x,1/x]", "an order")

    def scalar(self, value):
        floats = self.name == "binary64"
        if not isinstance(value, list):
            total = {0: rational(value, floats)}
        else:
            total = {}
            for pair in value:
                need(len(sequence(pair)) == 2 and is_integer(pair[0]), "a pair")
                power = int(pair[0])
                need(power == 0 or self.name in ("Q(i)", "Q[x,1/x]"), "no powers in this field")
                total[power] = total.get(power, 0) + rational(pair[1], floats)
        need(all(self.holds(c) for c in total.values()), "a value outside of the field")
        return {k: c for k, c in total.items() if c}

    def holds(self, c):
        if self.name == "ZT":
            return c in (-1, 0, 1)
        if self.name == "Z":
            return c.denominator == 1
        if self.name == "Z[1/2]":
            return bin(c.denominator).count("1") == 1
        if self.modulus:
            return coprime(c.denominator, self.modulus)
        return True

    def product(self, a, b):
        total = {}
        for k, x in a.items():
            for l, y in b.items():
                total[k + l] = total.get(k + l, 0) + x * y
        return total

    def vanishes(self, value):
        if self.name == "Q(i)":
            parts = [Fraction(0), Fraction(0)]
            for k, c in value.items():
                parts[k % 2] += c if k % 4 < 2 else -c
            return parts == [0, 0]
        if self.modulus:
            return all(c.numerator % self.modulus == 0 for c in value.values())
        return all(c == 0 for k, c in value.items() if self.order == 0 or k < self.order)


def coprime(a, b):
    while b:
        a, b = b, a % b
    return a == 1


def block(core):
    """A core as a list of lists of lists of equal lengths; its three sizes."""
    need(sequence(core) and sequence(core[0]) and sequence(core[0][0]), "a core that is not empty")
    n, right = len(core[0]), len(core[0][0])
    need(all(len(sequence(s)) == n and all(len(sequence(r)) == right for r in s) for s in core), "a block")
    return len(core), n, right


def factorisation(kind, data):
    model, field, cores, target, order, bound = fields(data, "model", "field", "cores", "target", "order", "bound")
    need(is_text(model) and model in ("cp", "ring"), "a model")
    numeric = kind == "numeric-residual"
    field = Field(field, integer(order, 0))
    need(numeric == (field.name == "binary64") and (numeric or kind == model + "-exact"), "a field for this claim")
    bound = rational(bound, numeric)
    need(bound >= 0 and (numeric or bound == 0), "a bound")
    sizes = [block(core) for core in sequence(cores)]
    need(sizes, "a core")
    cores = [[[[field.scalar(v) for v in row] for row in piece] for piece in core] for core in cores]
    shape = [n for _, n, _ in sizes]
    if model == "cp":
        need(all(left == 1 for left, _, _ in sizes) and len({r for _, _, r in sizes}) == 1, "factors of one rank")
    else:
        need(all(a[2] == b[0] for a, b in zip(sizes, sizes[1:] + sizes[:1])), "ranks that close")
    wanted = tensor(target, shape, field)
    gap = []
    for index in itertools.product(*map(range, shape)):
        value = cp_entry(cores, index, field) if model == "cp" else ring_entry(cores, index, field)
        for k, c in wanted.get(index, {}).items():
            value[k] = value.get(k, 0) - c
        gap.append(value)
    if numeric:
        def norm(values):
            return sum((v.get(0, 0) ** 2 for v in values), Fraction(0))
        allowed = bound ** 2 * norm(wanted.values())
        return "FALSE" if norm(gap) > allowed else "VACUOUS" if norm(wanted.values()) <= allowed else "TRUE"
    if not all(field.vanishes(value) for value in gap):
        return "FALSE"
    return "VACUOUS" if all(field.vanishes(value) for value in wanted.values()) else "TRUE"


def cp_entry(cores, index, field):
    total = {}
    for r in range(len(cores[0][0][0])):
        term = {0: Fraction(1)}
        for core, i in zip(cores, index):
            term = field.product(term, core[0][i][r])
        for k, c in term.items():
            total[k] = total.get(k, 0) + c
    return total


def ring_entry(cores, index, field):
    matrix = None
    for core, i in zip(cores, index):
        step = [piece[i] for piece in core]
        if matrix is None:
            matrix = step
            continue
        longer = []
        for row in matrix:
            line = []
            for b in range(len(step[0])):
                total = {}
                for a, value in enumerate(row):
                    for k, c in field.product(value, step[a][b]).items():
                        total[k] = total.get(k, 0) + c
                line.append(total)
            longer.append(line)
        matrix = longer
    trace = {}
    for a, row in enumerate(matrix):
        for k, c in row[a].items():
            trace[k] = trace.get(k, 0) + c
    return trace


def tensor(target, shape, field):
    if isinstance(target, dict) and set(target) == {"matmul"}:
        need(len(sequence(target["matmul"])) == 3, "three sizes")
        n, m, p = (integer(size, 1) for size in target["matmul"])
        need(shape == [n * m, m * p, n * p], "the shape of the cores")
        ones = itertools.product(range(n), range(m), range(p))
        return {(i * m + j, j * p + k, i * p + k): {0: Fraction(1)} for i, j, k in ones}
    dense, = fields(target, "dense")
    stated, entries = fields(dense, "shape", "entries")
    need([integer(n, 1) for n in sequence(stated)] == shape, "the shape of the cores")
    indices = list(itertools.product(*map(range, shape)))
    need(len(indices) == len(sequence(entries)), "as many entries as the shape says")
    return {index: field.scalar(v) for index, v in zip(indices, entries)}


# ---- residuals in binary64, which Python's floats are; every sum is a plain loop in the order of docs/FORMATS.md

TINY, FLOOR, SLACK, MOST = 2.0 ** -1020, 2.0 ** -900, 2.0 ** -20, 2 ** 28


def binary(value):
    need(isinstance(value, Number), "a binary64")
    need(not is_integer(value) or abs(int(value)) <= 2 ** 53, "a whole number that binary64 has")
    nearest = float(value)
    need(abs(nearest) < math.inf, "a finite number")
    return nearest


def norm(values):
    total = 0.0
    for x in values:
        total += x * x
    return math.sqrt(total + len(values) * TINY)


def floored(p, q):
    return p * q if p * q > FLOOR else FLOOR


def rounded(data, offered):
    model, weights, cores, target, bound = fields(data, "model", "weights", "cores", "target", "bound")
    need(is_text(model) and model in ("cp", "ring"), "a model")
    cp, weights = model == "cp", [binary(w) for w in sequence(weights)]
    sizes = [block(core) for core in sequence(cores)]
    cores = [[[[binary(v) for v in row] for row in piece] for piece in core] for core in cores]
    shape = [n for _, n, _ in sizes]
    need(len(shape) > 1, "two modes")
    if cp:
        need(all(left == 1 and right == len(weights) for left, _, right in sizes), "factors of one rank")
    else:
        need(not weights and all(a[2] == b[0] for a, b in zip(sizes, sizes[1:] + sizes[:1])), "ranks that close")
    bound = binary(bound)
    need(bound >= 0, "a bound")
    values = entries(target, shape, offered)
    if values is None:
        return "OPEN"
    found = relative_bound(cp, weights, cores, sizes, values)
    if found < 0:
        return "UNDECIDED"
    if found > bound:
        return "FALSE"
    return "VACUOUS" if bound >= 1 else "TRUE"


def entries(target, shape, offered):
    """The tensor with the first index fastest, NaN where it is missing, or None where only its digest is known."""
    gone = 0
    if isinstance(target, dict) and set(target) == {"dense"}:
        stated, held = fields(target["dense"], "shape", "entries")
        held = [binary(v) for v in sequence(held)]
    elif isinstance(target, dict) and set(target) == {"observed"}:
        stated, held, gone = fields(target["observed"], "shape", "entries", "missing")
        held, gone = [math.nan if v is None else binary(v) for v in sequence(held)], integer(gone, 1)
    else:
        held = None
    if held is not None:
        need([integer(n, 1) for n in sequence(stated)] == shape, "the shape of the cores")
        need(len(held) == math.prod(shape) and lacking(held) == gone, "as many entries as are said, and missing ones")
        return turned(shape, held)
    need(isinstance(target, dict) and set(target) == {"digest"}, "a target")
    if isinstance(target["digest"], dict) and "missing" in target["digest"]:
        stated, digest, gone = fields(target["digest"], "shape", "sha256", "missing")
        gone = integer(gone, 1)
    else:
        stated, digest = fields(target["digest"], "shape", "sha256")
    need([integer(n, 1) for n in sequence(stated)] == shape, "the shape of the cores")
    need(is_text(digest) and len(digest) == 64 and set(digest) <= set("0123456789abcdef"), "a digest")
    for known, values in list(offered) + masked(offered):
        if list(known) == shape and lacking(values) == gone:
            text = "x".join(map(str, shape)).encode() + b"\n"
            plain = [v if v == v else math.nan for v in values]
            if hashlib.sha256(text + struct.pack("<%dd" % len(values), *plain)).hexdigest() == digest:
                return values
    return None


def masked(offered):
    """Each tensor as each array of zeros and ones of its shape leaves it."""
    pairs = itertools.permutations(offered, 2)
    return [(known, [v if m else math.nan for v, m in zip(values, mask)]) for (known, values), (shape, mask) in pairs
            if list(shape) == list(known) and set(mask) <= {0.0, 1.0}]


def lacking(values):
    return sum(1 for v in values if v != v)


def turned(shape, values):
    """From the last index fastest to the first index fastest."""
    order, stride = [0], len(values)
    for n in shape:
        stride //= n
        order = [at + i * stride for i in range(n) for at in order]
    return [values[at] for at in order]


def relative_bound(cp, weights, cores, sizes, values):
    """An upper bound of norm(tensor - model) / norm(tensor), -1 where there is none."""
    shape, (left, _, right) = [n for _, n, _ in sizes], sizes[0]
    flat = [[core[a][i][b] for i in range(n) for a in range(l) for b in range(r)]
            for core, (l, n, r) in zip(cores, sizes)]
    ways = len(shape) + (0 if cp else sum(r for _, _, r in sizes[1:])) + left * right
    if shape[0] + len(values) // shape[0] + ways + sum(map(len, flat)) > MOST:
        return -1.0
    totals = [0.0, 0.0]

    def step(k, i, tail):
        if cp:
            return [x * y for x, y in zip(cores[k][0][i], tail)]
        product = []
        for piece in cores[k]:
            row = []
            for a in range(left):
                total = 0.0
                for x, below in zip(piece[i], tail):
                    total += x * below[a]
                row.append(total)
            product.append(row)
        return product

    def fibre(tail, at):
        gap = size = 0.0
        for i in range(shape[0]):
            total = 0.0
            for b in range(right):
                for a in range(left):
                    total += cores[0][a][i][b] * (tail[b] if cp else tail[b][a])
            value = values[at + i]
            if value == value:
                gap += (value - total) * (value - total)
                size += value * value
        totals[0] += gap
        totals[1] += size

    def walk(k, tail, at, count):
        if k == 0:
            return fibre(tail, at)
        below = count // shape[k]
        for i in range(shape[k]):
            walk(k - 1, step(k, i, tail), at + i * below, below)

    unit = [[1.0 if a == b else 0.0 for a in range(left)] for b in range(left)]
    walk(len(shape) - 1, weights if cp else unit, 0, len(values))
    majorant = 0.0
    if cp:
        for r, w in enumerate(weights):
            term = abs(w)
            for core in cores:
                term = floored(term, norm([row[r] for row in core[0]]))
            majorant += term
    else:
        majorant = 1.0
        for numbers in flat:
            majorant = floored(majorant, norm(numbers))
    scale = max([1.0] + [abs(w) for w in weights])
    for numbers in flat:
        scale = scale * max([1.0] + [abs(x) for x in numbers])
    paths = float(right) if cp else 1.0
    for l, _, _ in [] if cp else sizes:
        paths = paths * l
    n = float(len(values))
    off = float(ways) * 2.0 ** -52 * majorant
    lost = math.sqrt(n) * (paths * ways * scale) * TINY
    gap, size = totals[0] + n * TINY, totals[1] - n * TINY
    if not (gap < math.inf and 0 < size < math.inf):
        return -1.0
    gap = (math.sqrt(gap) + off + lost) * (1.0 + SLACK)
    found = gap / (math.sqrt(size) * (1.0 - SLACK)) * (1.0 + SLACK)
    return found if found < math.inf else -1.0


# ---- held-out rows of a sample, in binary64

def mix(row):
    z = (row + 1) * 0x9E3779B97F4A7C15 % 2 ** 64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2 ** 64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2 ** 64
    return z ^ (z >> 31)


def nearest(value):
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def held_out(data, earlier, offered):
    names = ("model", "columns", "rows", "sha256", "threshold", "bound")
    model, columns, rows, digest, threshold, bound = fields(data, *names)
    need(integer(model, 0) < len(earlier), "an earlier claim")
    kind, _, claim = fields(earlier[int(model)], "kind", "about", "data")
    need(is_text(kind) and kind == "gaussian-moments", "a claim about the model")
    polynomials, values, _ = fields(claim, "polynomials", "values", "tolerance")
    outputs, cumulants = len(sequence(polynomials)), []
    for item in sequence(values):
        need(len(sequence(item)) == 3 and is_text(item[0]) and item[0] == "cumulant", "a cumulant")
        index = [integer(a, 0) for a in sequence(item[1])]
        need(0 < len(index) < 4 and max(index) < outputs, "indices of outputs")
        cumulants.append((index, nearest(rational(item[2]))))
    columns = [integer(c, 0) for c in sequence(columns)]
    rows, bound = integer(rows, 1), binary(bound)
    hexadecimal = set("0123456789abcdef")
    need(is_text(threshold) and len(threshold) == 16 and set(threshold) <= hexadecimal, "a threshold")
    need(is_text(digest) and len(digest) == 64 and set(digest) <= hexadecimal, "a digest")
    need(len(columns) == outputs and bound >= 0, "a column for each polynomial")
    sample = chosen(rows, columns, digest, offered)
    if sample is None:
        return "OPEN"
    held = [i for i in range(rows) if mix(i) < int(threshold, 16)]
    if len(held) < 2:
        return "UNDECIDED"
    count, means, y = float(len(held)), [], []
    for column in sample:
        means.append(plain_sum([column[i] for i in held]) / count)
        y.append([column[i] - means[-1] for i in held])
    worst = zeros = 0.0
    for index, value in cumulants:
        found, off = estimate(index, means, y, count)
        error = math.sqrt(plain_sum([x * x for x in off]) / count / count)
        for gap in (abs(found - value), abs(found)):
            if not gap < math.inf or (gap and not (error > 0 and gap / error < math.inf)):
                return "UNDECIDED"
        worst = max(worst, abs(found - value) / error if found != value else 0.0)
        zeros = max(zeros, abs(found) / error if found else 0.0)
    return "FALSE" if worst > bound else "VACUOUS" if zeros <= bound else "TRUE"


def plain_sum(values):
    total = 0.0
    for x in values:
        total += x
    return total


def estimate(index, means, y, count):
    """A cumulant of held-out rows, and what each row contributes to its error."""
    if len(index) == 1:
        return means[index[0]], y[index[0]]
    products = [math.prod(row) for row in zip(*(y[a] for a in index))]
    value = plain_sum(products) / count
    off = [p - value for p in products]
    for k in range(3) if len(index) == 3 else ():
        a, b = index[:k] + index[k + 1:]
        pair = plain_sum([s * t for s, t in zip(y[a], y[b])]) / count
        off = [x - pair * t for x, t in zip(off, y[index[k]])]
    return value, off


def chosen(rows, columns, digest, offered):
    """Columns of the sample with this digest, from one matrix or from all of them below each other."""
    matrices = [(shape, values) for shape, values in offered if len(shape) == 2]
    for group in [[matrix] for matrix in matrices] + [matrices]:
        heights = [shape[0] for shape, _ in group]
        if sum(heights) == rows and all(max(columns, default=0) < shape[1] for shape, _ in group):
            sample = [[x for (n, _), values in group for x in values[c * n:(c + 1) * n]] for c in columns]
            text = ("%dx%d\n" % (rows, len(columns))).encode()
            if hashlib.sha256(text + b"".join(struct.pack("<%dd" % rows, *s) for s in sample)).hexdigest() == digest:
                return sample
    return None


def arrays(path):
    """The real arrays of a .npy file, the parts of a complex one: shapes, and entries with the first index fastest."""
    with open(path, "rb") as file:
        raw = file.read()
    need(raw[:6] == b"\x93NUMPY", "a .npy file at " + path)
    start = 10 if raw[6] == 1 else 12
    end = start + int.from_bytes(raw[8:start], "little")
    header = ast.literal_eval(raw[start:end].decode("latin-1"))
    kind, order = header["descr"][1:], ">" if header["descr"][0] == ">" else "<"
    codes = {"f8": "d", "f4": "f", "f2": "e", "i8": "q", "i4": "i", "i2": "h", "i1": "b",
             "u8": "Q", "u4": "I", "u2": "H", "u1": "B", "b1": "?", "c16": "dd", "c8": "ff"}
    need(kind in codes, "numbers in " + path)
    found, shape = list(struct.iter_unpack(order + codes[kind], raw[end:])), header["shape"]
    # What is infinite was not measured either.
    finite = lambda x: x if abs(x) < math.inf else math.nan
    parts = [[finite(float(item[k])) for item in found] for k in range(len(codes[kind]))]
    return [(shape, part if header["fortran_order"] else turned(shape, part)) for part in parts]


# ---- theorems about decompositions, in fractions

def whole_number(value):
    number = rational(value)
    need(number.denominator == 1, "a whole number")
    return int(number)


def between(value, least, most):
    need(integer(value, least) <= most, "a number from %d to %d" % (least, most))
    return int(value)


def truth(value):
    need(isinstance(value, bool), "true or false")
    return value


def rational_tensor(target):
    """The shape, and the entries by index."""
    if isinstance(target, dict) and set(target) == {"matmul"}:
        need(len(sequence(target["matmul"])) == 3, "three sizes")
        n, m, p = (between(size, 1, 65536) for size in target["matmul"])
        shape = [n * m, m * p, n * p]
    else:
        dense, = fields(target, "dense")
        stated, entries = fields(dense, "shape", "entries")
        shape = [between(n, 1, 65536) for n in sequence(stated)]
        need(len(sequence(entries)) == math.prod(shape), "as many entries as the shape says")
        need(not any(isinstance(v, list) for v in entries), "entries that are numbers")
    found = tensor(target, shape, Field("Q", 0))
    indices = itertools.product(*map(range, shape))
    return shape, {index: found.get(index, {}).get(0, Fraction(0)) for index in indices}


def multiplied(a, b):
    columns = list(zip(*b))
    return [[sum((x * y for x, y in zip(row, column) if x and y), Fraction(0)) for column in columns] for row in a]


def first_independent(rows):
    """The rows, from the first on, that do not depend on those before."""
    found, basis = [], []
    for k, row in enumerate(rows):
        row = list(row)
        for at, other in basis:
            factor = row[at] / other[at]
            row = [x - factor * y for x, y in zip(row, other)]
        at = next((j for j, x in enumerate(row) if x), None)
        if at is not None:
            found.append(k)
            basis.append((at, row))
    return found


def inverted(a):
    n = len(a)
    wide = [list(row) + [Fraction(int(i == j)) for j in range(n)] for i, row in enumerate(a)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if wide[i][k])
        wide[k], wide[pivot] = wide[pivot], wide[k]
        wide[k] = [x / wide[k][k] for x in wide[k]]
        for i in range(n):
            if i != k and wide[i][k]:
                wide[i] = [x - wide[i][k] * y for x, y in zip(wide[i], wide[k])]
    return [row[n:] for row in wide]


def characteristic(x):
    """Coefficients from the constant on, by Faddeev and LeVerrier."""
    n, m, c = len(x), None, [Fraction(1)]
    for k in range(1, n + 1):
        m = x if m is None else multiplied(x, [[v + (c[-1] if i == j else 0) for j, v in enumerate(row)]
                                               for i, row in enumerate(m)])
        c.append(-sum(m[i][i] for i in range(n)) / k)
    return c[::-1]


def remainder(a, b):
    a, quotient = list(a), [Fraction(0)] * max(len(a) - len(b) + 1, 0)
    for k in range(len(a) - len(b), -1, -1):
        quotient[k] = a[k + len(b) - 1] / b[-1]
        for j, y in enumerate(b):
            a[k + j] -= quotient[k] * y
    while a and not a[-1]:
        a.pop()
    return quotient, a


def sturm(p):
    chain = [p, [k * c for k, c in enumerate(p)][1:]]
    while chain[-1]:
        chain.append([-c for c in remainder(chain[-2], chain[-1])[1]])
    chain.pop()
    ends = [[(q[-1] > 0) ^ (low and len(q) % 2 == 0) for q in chain] for low in (True, False)]
    changes = [sum(s != t for s, t in zip(end, end[1:])) for end in ends]
    return changes[0] - changes[1], chain[-1]


def slices_say(data, mode, a, b):
    shape, values = rational_tensor(data)
    need(len(shape) == 3, "order three")
    mode, (a, b) = between(mode, 0, 2), [list(map(whole_number, sequence(v))) for v in (a, b)]
    need(len(a) == shape[mode] == len(b), "a number for each slice")
    one, two = [k for k in range(3) if k != mode]
    index = [0, 0, 0]

    def slice_at(s):
        rows = []
        for i in range(shape[one]):
            index[mode], index[one] = s, i
            row = []
            for j in range(shape[two]):
                index[two] = j
                row.append(values[tuple(index)])
            rows.append(row)
        return rows

    slices = [slice_at(s) for s in range(shape[mode])]
    mixed = lambda w: [[sum(c * s[i][j] for c, s in zip(w, slices)) for j in range(shape[two])]
                       for i in range(shape[one])]
    whole = mixed(a)
    rows, columns = first_independent(whole), first_independent(zip(*whole))
    if not rows:
        return 0, None
    cut = lambda m: [[m[i][j] for j in columns] for i in rows]
    inverse = inverted(cut(whole))
    xs, x = [multiplied(cut(s), inverse) for s in slices], multiplied(cut(mixed(b)), inverse)
    if any(multiplied(x, y) != multiplied(y, x) for y in xs):
        return len(rows), "not commuting"
    p = characteristic(x)
    real, common = sturm(p)
    if len(common) > 1:
        value = [[Fraction(0)] * len(rows) for _ in rows]
        for c in reversed(remainder(p, common)[0]):
            value = multiplied(value, x)
            for i in range(len(rows)):
                value[i][i] += c
        return len(rows), "not diagonal" if any(map(any, value)) else None
    # The flattenings of the two other modes have the rank of A.
    wide = [sum((s[i] for s in slices), []) for i in range(shape[one])]
    tall = [sum(([row[j] for row in s] for s in slices), []) for j in range(shape[two])]
    full = len(first_independent(wide)) == len(rows) == len(first_independent(tall))
    return len(rows), real if full else None


def commuting(data):
    target, mode, rank, a, b, real = fields(data, "target", "mode", "rank", "a", "b", "real")
    rank, real = between(rank, 1, 2 ** 63 - 1), truth(real)
    found, says = slices_say(target, mode, a, b)
    holds = found == rank and isinstance(says, int) and (says == rank) == real
    # What settles the rank as another one refutes the claim; the rest leaves it open.
    settled = isinstance(says, int) or (says is not None and found >= rank)
    return "TRUE" if holds else "FALSE" if settled else "UNDECIDED"


def above(data):
    target, mode, rank, a, b, border = fields(data, "target", "mode", "rank", "a", "b", "border")
    rank, border = between(rank, 0, 2 ** 63 - 2), truth(border)
    found, says = slices_say(target, mode, a, b)
    more = says == "not commuting" or (says == "not diagonal" and not border)
    if isinstance(says, int) and found <= rank:
        return "FALSE"
    return "TRUE" if found > rank or (found == rank and more) else "UNDECIDED"


def is_prime(n):
    return n > 1 and all(n % d for d in range(2, math.isqrt(n) + 1))


def modular_rank(rows, prime):
    basis = {}
    for row in rows:
        row = [x % prime for x in row]
        for at in range(len(row)):
            if row[at]:
                if at not in basis:
                    inverse = pow(row[at], -1, prime)
                    basis[at] = [x * inverse % prime for x in row]
                    break
                factor = row[at]
                row = [(x - factor * y) % prime for x, y in zip(row, basis[at])]
    return len(basis)


def border_rank(data):
    target, mode, p, projection, prime, bound = fields(data, "target", "mode", "p", "projection", "prime", "bound")
    mode, p, bound = between(mode, 0, 2), integer(p, 0), between(bound, 1, 2 ** 63 - 1)
    prime = between(prime, 2, 2 ** 31 - 1)
    need(is_prime(prime), "a prime")
    shape, values = rational_tensor(target)
    need(len(shape) == 3, "order three")
    rows = [list(map(whole_number, sequence(row))) for row in sequence(projection)]
    need(len(rows) == 2 * p + 1 and all(len(row) == shape[mode] for row in rows), "a projection")
    common = math.lcm(*(v.denominator for v in values.values()))
    slices = {}
    for index, value in values.items():
        slices.setdefault(index[:mode] + index[mode + 1:], {})[index[mode]] = int(value * common)
    projected = {bc: [sum(w * s.get(k, 0) for k, w in enumerate(row)) for row in rows] for bc, s in slices.items()}
    one, two = [n for k, n in enumerate(shape) if k != mode]
    place = {s: k for k, s in enumerate(itertools.combinations(range(2 * p + 1), p + 1))}
    lines = []
    for s in itertools.combinations(range(2 * p + 1), p):
        for b in range(one):
            line = [0] * (len(place) * two)
            for i in set(range(2 * p + 1)) - set(s):
                joined = tuple(sorted(s + (i,)))
                sign = (-1) ** joined.index(i)
                for c in range(two):
                    line[place[joined] * two + c] = sign * projected[b, c][i]
            lines.append(line)
    return "TRUE" if -(-modular_rank(lines, prime) // math.comb(2 * p, p)) >= bound else "UNDECIDED"


def only_one(data, earlier):
    model, prime, ranks = fields(data, "model", "prime", "ranks")
    need(integer(model, 0) < len(earlier), "an earlier claim")
    prime = between(prime, 2, 2 ** 31 - 1)
    need(is_prime(prime), "a prime")
    kind, _, claim = fields(earlier[int(model)], "kind", "about", "data")
    need(is_text(kind) and kind == "cp-exact", "an exact decomposition")
    _, name, cores, _, _, _ = fields(claim, "model", "field", "cores", "target", "order", "bound")
    need(is_text(name) and name in ("ZT", "Z", "Z[1/2]", "Q"), "a field in Q")
    field, factors = Field(name, 0), []
    for core in sequence(cores):
        need(len(sequence(core)) == 1, "a factor")
        rows = [[field.scalar(v).get(0, Fraction(0)) for v in sequence(row)] for row in sequence(core[0])]
        factors.append([list(column) for column in zip(*rows)])
    rank, order = len(factors[0]) if factors else 0, len(factors)
    need(rank and all(len(f) == rank for f in factors) and order > 2, "factors of one rank")
    need(len(sequence(ranks)) == order, "a number for each mode")
    ranks = [between(k, 1, rank) for k in ranks]
    holds = rank == 1 or sum(ranks) >= 2 * rank + order - 1
    for factor, k in zip(factors, ranks):
        # Rows are multiplied by their common denominators, which changes no rank over Q.
        clear = [math.lcm(*(column[i].denominator for column in factor)) for i in range(len(factor[0]))]
        columns = [[int(x * d) for x, d in zip(column, clear)] for column in factor]
        holds = holds and all(modular_rank(some, prime) == k for some in itertools.combinations(columns, k))
    return "TRUE" if holds else "UNDECIDED"


# ---- zeros near a point. A polynomial is a list of (coefficient, list of variables); bounds by absolute values

def product_of(x, factors):
    total = Fraction(1)
    for v in factors:
        total *= x[v]
    return total


def derived(p, v):
    return [(c, f[:k] + f[k + 1:]) for c, f in p for k in range(len(f)) if f[k] == v]


def value_of(p, x):
    return sum((c * product_of(x, f) for c, f in p), Fraction(0))


def moved_by(p, x, r):
    size = [abs(v) for v in x]
    wide = [v + r for v in size]
    return sum((abs(c) * (product_of(wide, f) - product_of(size, f)) for c, f in p), Fraction(0))


def cleared(matrix):
    common = math.lcm(*(Fraction(x).denominator for row in matrix for x in row))
    return common, [[int(x * common) for x in row] for row in matrix]


def times_matrix(a, b):
    """The product of matrices of fractions, in integers."""
    (p, a), (q, b) = cleared(a), cleared(b)
    columns = list(zip(*b))
    return [[Fraction(sum(x * y for x, y in zip(row, column) if x and y), p * q) for column in columns] for row in a]


def off_unit(m):
    return [sum(abs(int(i == j) - x) for j, x in enumerate(row)) for i, row in enumerate(m)]


def one_zero(equations, unknowns, x, r, c):
    rows, values, moves = [], [], []
    for p in equations:
        held = {v for _, f in p for v in f}
        slopes = {u: derived(p, u) for u in unknowns if u in held}
        rows.append([value_of(slopes[u], x) if u in slopes else Fraction(0) for u in unknowns])
        moves.append(sum((moved_by(q, x, r) for q in slopes.values()), Fraction(0)))
        values.append(value_of(p, x))
    step = max(abs(sum(a * b for a, b in zip(row, values))) for row in c)
    change = max(off + sum(abs(a) * b for a, b in zip(row, moves))
                 for off, row in zip(off_unit(times_matrix(c, rows)), c))
    return step + change * r < r


def one_minimum(equations, unknowns, x, r, l):
    n, place = len(unknowns), {u: k for k, u in enumerate(unknowns)}
    gradient, hessian = [Fraction(0)] * n, [[Fraction(0)] * n for _ in unknowns]
    moves = [[Fraction(0)] * n for _ in unknowns]
    for p in equations:
        f, df = value_of(p, x), moved_by(p, x, r)
        inside = sorted({v for _, g in p for v in g if v in place})
        slopes = {u: derived(p, u) for u in inside}
        first = {u: (value_of(q, x), moved_by(q, x, r)) for u, q in slopes.items()}
        for u in inside:
            gradient[place[u]] += f * first[u][0]
            for v in inside:
                (j, d), (k, e), q = first[u], first[v], derived(slopes[u], v)
                s, ds = value_of(q, x), moved_by(q, x, r)
                hessian[place[u]][place[v]] += j * k + f * s
                moves[place[u]][place[v]] += (abs(j) * e + d * abs(k) + d * e
                                              + abs(f) * ds + df * abs(s) + df * ds)
    turned = [list(column) for column in zip(*l)]
    size = [[abs(v) for v in row] for row in l]
    weights = [[sum(row)] for row in size]
    far = times_matrix([list(column) for column in zip(*size)], times_matrix(moves, weights))
    off = off_unit(times_matrix(times_matrix(turned, hessian), l))
    change = max(a + b[0] for a, b in zip(off, far))
    step = max(abs(sum(a * b for a, b in zip(row, gradient))) for row in turned)
    return change < 1 and step * max(w[0] for w in weights) < (1 - change) * r


def scaled_matrix(rows, scale, n):
    scale = integer(scale, 0)
    found = [[Fraction(whole_number(v), 2 ** scale) for v in sequence(row)] for row in sequence(rows)]
    need(len(found) == n and all(len(row) == n for row in found), "a square matrix")
    return found


def radius_of(pair):
    need(len(sequence(pair)) == 2 and is_integer(pair[1]) and -512 <= int(pair[1]) <= 0, "a radius")
    r = Fraction(whole_number(pair[0]), 2 ** -int(pair[1]))
    need(r > 0, "a positive radius")
    return r


def near(model, minimum, data):
    letter = "L" if minimum else "C"
    names = ("target", "scale", "cores", "unknowns", "scale" + letter, letter, "radius")
    target, scale, cores, unknowns, precision, matrix, radius = fields(data, *names)
    shape, values = rational_tensor(target)
    sizes, offsets, x = [block(core) for core in sequence(cores)], [], []
    for core in cores:
        offsets.append(len(x))
        x += [whole_number(v) for piece in core for row in piece for v in row]
    x = [Fraction(v, 2 ** integer(scale, 0)) for v in x]
    need(2 <= len(shape) <= 16 and sizes, "two modes")
    dims, rank = [n for _, n, _ in sizes], sizes[0][2]
    if model == "ring":
        need(dims == shape and all(a[2] == b[0] for a, b in zip(sizes, sizes[1:] + sizes[:1])), "ranks that close")
    else:
        need(all(left == 1 and right == rank for left, _, right in sizes), "factors of one rank")
        need(dims == shape if model == "cp" else len(dims) == 2 and [1] + shape == [dims[0]] + [dims[1]] * len(shape),
             "the shape of the target")
    at = lambda k, a, i, b: offsets[k] + (a * sizes[k][1] + i) * sizes[k][2] + b

    def entry(index):
        if model == "cp":
            return [[at(k, 0, i, r) for k, i in enumerate(index)] for r in range(rank)]
        if model == "symmetric":
            return [[at(0, 0, 0, r)] + [at(1, 0, i, r) for i in index] for r in range(rank)]
        found = []
        for bonds in itertools.product(*(range(left) for left, _, _ in sizes)):
            ends = bonds[1:] + bonds[:1]
            found.append([at(k, bonds[k], i, ends[k]) for k, i in enumerate(index)])
        return found

    unknowns = [between(u, 0, len(x) - 1) for u in sequence(unknowns)]
    need(unknowns and len(set(unknowns)) == len(unknowns), "different unknowns")
    matrix, r = scaled_matrix(matrix, precision, len(unknowns)), radius_of(radius)
    if model == "symmetric" and any(v != values[tuple(sorted(index))] for index, v in values.items()):
        return "FALSE"
    once = model == "symmetric" and not minimum
    chosen = [index for index in values if not once or list(index) == sorted(index)]
    equations = [[(Fraction(1), f) for f in entry(index)] + [(-values[index], [])] for index in chosen]
    if not minimum:
        need(len(equations) == len(unknowns), "as many unknowns as equations")
        return "TRUE" if one_zero(equations, unknowns, x, r, matrix) else "UNDECIDED"
    for term in range(rank):
        kept = [[v for v in range(start + term, start + n * rank, rank) if v not in unknowns]
                for start, (_, n, _) in zip(offsets, sizes)]
        wanted = len(shape) - 1 if model == "cp" else 1
        need(sorted(map(len, kept)) == [0] * (len(kept) - wanted) + [1] * wanted, "the freedom of scaling held")
        need(all(x[v] for some in kept for v in some), "held entries other than zero")
    return "TRUE" if one_minimum(equations, unknowns, x, r, matrix) else "UNDECIDED"


def zero(data):
    names = ("variables", "equations", "scale", "point", "scaleC", "C", "radius")
    variables, equations, scale, point, precision, matrix, radius = fields(data, *names)
    for name in sequence(variables):
        need(is_text(name) and list(polynomial(name).values()) == [1] and list(polynomial(name))[0], "a variable")
    need(variables and len(set(variables)) == len(variables) == len(sequence(equations)), "a square system")
    place = {name: k for k, name in enumerate(variables)}
    system = []
    for equation in equations:
        terms = []
        for powers, c in polynomial(equation).items():
            need(all(name in place for name, _ in powers), "known variables")
            terms.append((c, [place[name] for name, k in powers for _ in range(k)]))
        system.append(terms)
    x = [Fraction(whole_number(v), 2 ** integer(scale, 0)) for v in sequence(point)]
    need(len(x) == len(variables), "a coordinate for each variable")
    matrix = scaled_matrix(matrix, precision, len(x))
    return "TRUE" if one_zero(system, list(range(len(x))), x, radius_of(radius), matrix) else "UNDECIDED"


def theorem(kind, data, earlier):
    judges = {"cp-commuting": commuting, "rank-above": above, "border-rank": border_rank, "poly-zero": zero}
    if kind in judges:
        return judges[kind](data)
    if kind == "cp-unique":
        return only_one(data, earlier)
    model, _, what = kind.partition("-")
    return near(model, what == "minimiser", data)


THEOREMS = ("cp-commuting", "rank-above", "border-rank", "cp-unique", "cp-exists", "cp-minimiser", "symmetric-exists",
            "symmetric-minimiser", "ring-exists", "poly-zero")


# ---- the whole

def claims(text, offered=()):
    """The kind, the words and the verdict on each claim."""
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    whole = read(text)
    names = ["schema", "producer", "inputs", "claims", "seal"]
    version = whole.get("schema") if isinstance(whole, dict) else None
    if version == "wickring/certificate/2":
        names.append("fit")
    else:
        need(is_text(version) and version == "wickring/certificate/1", "a schema")
    fields(whole, *names)
    need(is_text(whole["producer"]) and is_text(whole["seal"]), "words")
    need(sealed(text, whole), "the seal")
    for entry in sequence(whole["inputs"]):
        path, digest = fields(entry, "path", "sha256")
        need(is_text(path) and is_text(digest) and len(digest) == 64, "an input")
        need(set(digest) <= set("0123456789abcdef"), "a digest")
    if whole.get("fit") is not None:
        need(all(map(is_text, fields(whole["fit"], "status", "failed"))), "a status")
    found = []
    need(sequence(whole["claims"]), "a claim")
    for claim in whole["claims"]:
        kind, about, data = fields(claim, "kind", "about", "data")
        need(is_text(kind) and is_text(about), "words")
        if kind == "gaussian-moments":
            verdict = gaussian(data)
        elif kind in ("polynomial-identity", "ideal-membership", "sos"):
            verdict = algebra(kind, data)
        elif kind == "rounded-residual":
            verdict = rounded(data, offered)
        elif kind == "held-out-cumulants":
            verdict = held_out(data, whole["claims"][:len(found)], offered)
        elif kind in THEOREMS:
            verdict = theorem(kind, data, whole["claims"][:len(found)])
        else:
            need(kind in ("cp-exact", "ring-exact", "numeric-residual"), "a kind of claim")
            verdict = factorisation(kind, data)
        found.append((kind, about, verdict))
    return found


def main():
    try:
        found = claims(CERTIFICATE, [array for path in sys.argv[1:] for array in arrays(path)])
    except Malformed as error:
        print("REFUSED: expected", error)
        return 2
    for kind, about, verdict in found:
        print(verdict, kind, about)
    verdicts = {verdict for _, _, verdict in found}
    return 1 if "FALSE" in verdicts else 3 if verdicts & {"VACUOUS", "OPEN", "UNDECIDED"} else 0


if __name__ == "__main__":
    raise SystemExit(main())
