"""The algebraic learner of `wickring learn polynomial` on planted maps, at four times the least number of samples.

    cargo build --release && python3 benches/peers/polynomial_varieties.py [seeds]

Homogeneous maps with Gaussian coefficients, as many outputs as monomials, n = 4 C(r+2w-1, 2w) rows of which a fifth is
held out. For each degree w and latent dimension r: the relative residual of held-out samples from the variety
(median, worst) and seconds (median, worst).
"""
import json
import math
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

BINARY = os.environ.get("WICKRING", "target/release/wickring")
CASES = [(2, 3), (2, 4), (2, 5), (3, 2), (3, 3), (3, 4), (4, 2), (4, 3), (5, 2)]


def exponents(r, w):
    if r == 1:
        return [(w,)]
    return [(k,) + rest for k in range(w, -1, -1) for rest in exponents(r - 1, w - k)]


def trial(w, r, seed, folder):
    rng = np.random.default_rng(seed)
    powers = np.array(exponents(r, w))
    m = len(powers)
    # The monomials in the metric of forms: sqrt of the multinomial coefficient.
    weight = np.array([math.sqrt(math.factorial(w) / math.prod(map(math.factorial, e))) for e in powers.tolist()])
    n = 4 * math.comb(r + 2 * w - 1, 2 * w)
    x = rng.standard_normal((n, r))
    features = np.prod(x[:, None, :] ** powers[None], axis=2) * weight
    z = features @ rng.standard_normal((m, m))
    np.save(os.path.join(folder, "z.npy"), z)
    start = time.time()
    run = subprocess.run(
        [BINARY, "learn", "polynomial", os.path.join(folder, "z.npy"), "--degree", str(w), "--json",
         "--out", os.path.join(folder, "m.json")],
        capture_output=True, text=True,
    )
    seconds = time.time() - start
    if not run.stdout:
        return math.inf, 0, "refused: " + run.stderr.strip()[-120:], seconds, n
    found = json.loads(run.stdout)
    return found["report"]["rel_residual"], found["latent_dim"], found["status"], seconds, n


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print("| w, r | n | residual: median, worst | at most 1e-9 | latents found | converged | s: median, worst |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for w, r in CASES:
            rows = [trial(w, r, seed, folder) for seed in range(seeds)]
            residuals = [row[0] for row in rows]
            times = [row[3] for row in rows]
            within = sum(e <= 1e-9 for e in residuals)
            print(
                f"| {w}, {r} | {rows[0][4]} | {np.median(residuals):.1e}, {max(residuals):.1e} | {within}/{seeds} "
                f"| {sum(row[1] == r for row in rows)}/{seeds} | {sum(row[2] == 'converged' for row in rows)}/{seeds} "
                f"| {np.median(times):.2f}, {max(times):.2f} |",
                flush=True,
            )
            for seed, row in enumerate(rows):
                if row[0] > 1e-9:
                    print(f"  seed {seed}: {row[2]}", file=sys.stderr)


if __name__ == "__main__":
    main()
