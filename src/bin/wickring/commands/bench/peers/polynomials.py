"""Exact polynomials by python-flint: one request and one answer a line, both JSON."""

import json
import sys
import time


def say(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def digest(found, prime, signed):
    parts = []
    for poly, times in found:
        value = 0
        for exponents, coefficient in poly.to_dict().items():
            term = int(coefficient) % prime
            for v, d in enumerate(exponents):
                term = term * pow(v + 2, int(d), prime) % prime
            value = (value + term) % prime
        if not signed:
            value = min(value, prime - value)
        parts.append(f"{times}:{value}")
    return " ".join(sorted(parts))


def read(flint, path):
    with open(path) as file:
        whole = json.load(file)
    names = tuple(f"x{k}" for k in range(whole["variables"]))
    ring = flint.fmpz_mpoly_ctx.get(names, "lex")
    return [ring.from_dict({tuple(e): int(c) for e, c in whole[side]}) for side in "ab"]


def work(operation, a, b):
    if operation == "product":
        return lambda: [(a * b, 1)]
    if operation == "quotient":
        return lambda: [(a / b, 1)]
    if operation == "gcd":
        return lambda: [(a.gcd(b), 1)]
    return lambda: [(f, int(k)) for f, k in a.factor()[1]]


def main():
    try:
        import flint
        flint.fmpz_mpoly_ctx.get(("x",), "lex")
    except Exception as problem:
        say({"absent": str(problem)})
        return
    say({"version": flint.__version__})
    try:
        flint.ctx.threads = int(__import__("os").environ["BENCH_THREADS"])
    except Exception:
        pass
    known = {}
    for line in sys.stdin:
        try:
            ask = json.loads(line)
            if ask["file"] not in known:
                known[ask["file"]] = read(flint, ask["file"])
            run = work(ask["operation"], *known[ask["file"]])
            runs, wall, start = 0, time.perf_counter(), time.process_time()
            while runs == 0 or time.perf_counter() - wall < 0.1:
                found = run()
                runs += 1
            seconds = (time.process_time() - start) / runs
            signed = ask["operation"] in ("product", "quotient")
            say({"seconds": seconds, "exact": digest(found, ask["prime"], signed)})
        except Exception as problem:
            say({"error": f"{type(problem).__name__}: {problem}"})


main()
