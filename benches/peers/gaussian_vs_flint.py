"""E[q^4] for a dense quadratic q in 10 variables: wickring (traces) against python-flint (power, then a sum over terms).

cargo build --release --features bench --example gaussian_cases && python3 benches/peers/gaussian_vs_flint.py
"""
import random
import subprocess
import time

from flint import Ordering, fmpq, fmpq_mpoly_ctx

random.seed(7)
R = 10
ctx = fmpq_mpoly_ctx.get(tuple(f"x{i}" for i in range(R)), Ordering.degrevlex)
x = ctx.gens()
text, q = [], 0 * x[0]
for i in range(R):
    for j in range(i, R):
        a, b = random.randint(-9, 9) or 1, random.randint(1, 7)
        q += fmpq(a, b) * x[i] * x[j]
        text.append(f"({a})/{b}*x{i}*x{j}")
odd = [1 if n == 0 else 0 if n % 2 else 1 for n in range(9)]
for n in range(2, 9, 2):
    odd[n] = odd[n - 2] * (n - 1)
best = float("inf")
for _ in range(5):
    start = time.perf_counter()
    value = fmpq(0)
    for exponents, c in (q**4).terms():
        weight = 1
        for e in exponents:
            weight *= odd[int(e)]
        if weight:
            value += c * weight
    best = min(best, (time.perf_counter() - start) * 1e3)
ours = subprocess.run(
    ["target/release/examples/gaussian_cases", "quadratic", "+".join(text)], capture_output=True, text=True, check=True
).stdout.split()
assert ours[1] == str(value), (ours[1], value)
print(f"E[q^4], 10 variables: python-flint {best:.2f} ms, wickring {float(ours[0]):.4f} ms, ratio {best / float(ours[0]):.0f}, equal")
