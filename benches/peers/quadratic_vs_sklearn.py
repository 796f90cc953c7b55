"""Quadratic maps against scikit-learn's GaussianMixture with BIC-chosen components, same data, one run.

    cargo build --release && python3 benches/peers/quadratic_vs_sklearn.py [seeds]

Sliced Wasserstein-1 distance to fresh samples of the truth, in standard deviations, mean over 100 directions:
the learned map, the mixture (k = 1, 4, 10, 20 by BIC, full covariances), and fresh samples of the truth (the floor).
"""
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
from sklearn.mixture import GaussianMixture

BINARY = os.environ.get("WICKRING", "target/release/wickring")


def sliced(a, b, rng):
    w = rng.standard_normal((a.shape[1], 100)) / b.std(0)[:, None]
    x, y = np.sort(a @ w, 0), np.sort(b @ w, 0)
    return float(np.mean(np.abs(x - y).mean(0) / y.std(0)))


def trial(r, d, n, seed):
    rng = np.random.default_rng(seed)
    q = rng.standard_normal((d, r, r)) / np.sqrt(r)
    q = (q + q.transpose(0, 2, 1)) / 2
    draw = lambda m: np.einsum("aij,ni,nj->na", q, x := rng.standard_normal((m, r)), x)
    z, fresh, other = draw(n), draw(20000), draw(20000)
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        np.save(path("z.npy"), z)
        start = time.time()
        run = subprocess.run(
            [BINARY, "learn", "quadratic", path("z.npy"), "--out", path("m.json"), "--json"],
            capture_output=True, text=True,
        )
        ours = time.time() - start
        status = json.loads(run.stdout)["status"] if run.stdout else run.stderr.strip()
        subprocess.run([BINARY, "sample", path("m.json"), "-n", "20000", "--out", path("s.npy"), "--quiet"], check=True)
        drawn = np.load(path("s.npy"))
    start = time.time()
    fits = [GaussianMixture(k, random_state=0, reg_covar=1e-6).fit(z) for k in (1, 4, 10, 20) if k * 5 < n]
    best = min(fits, key=lambda g: g.bic(z))
    theirs = time.time() - start
    return (
        sliced(drawn, fresh, rng), sliced(best.sample(20000)[0], fresh, rng), sliced(other, fresh, rng),
        best.n_components, status, ours, theirs,
    )


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print("| r, d, n | learned | mixture (k) | fresh | below in | s ours / theirs |")
    print("|---|---|---|---|---|---|")
    for r, d, n in [(3, 6, 1000), (3, 6, 10000), (4, 10, 1000), (4, 10, 10000), (6, 21, 2000), (6, 21, 10000)]:
        rows = [trial(r, d, n, seed) for seed in range(seeds)]
        med = lambda k: float(np.median([row[k] for row in rows]))
        below = sum(row[0] < row[1] for row in rows)
        print(
            f"| {r}, {d}, {n} | {med(0):.4f} | {med(1):.4f} ({med(3):.0f}) | {med(2):.4f} | {below}/{seeds} | {med(5):.2f} / {med(6):.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
