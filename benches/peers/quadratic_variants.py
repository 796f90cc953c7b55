"""Noisy outputs and few outputs with `wickring learn quadratic`: error over the statistical floor of noiseless samples.

    cargo build --release && python3 benches/peers/quadratic_variants.py [seeds] [noise] [few]

Planted homogeneous maps with Gaussian entries. Noise: Gaussian, a share of each output's standard deviation; learned from
moments that ignore it, from moments corrected for it, by the likelihood with its size told, and with its size estimated.
Few outputs: d below r(r+1)/2. Medians (and worst) over seeds, and how many were accepted.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

BINARY = os.environ.get("WICKRING", "target/release/wickring")
NOISY = [(3, 6, 2000, 0.1), (3, 6, 20000, 0.1), (3, 9, 5000, 0.1), (4, 10, 5000, 0.03), (4, 10, 20000, 0.1)]
FEW = [(2, 2), (3, 5), (3, 4), (3, 3), (4, 9), (4, 8), (4, 7), (4, 6), (5, 14)]


def planted(d, r, n, rng):
    q = rng.standard_normal((d, r, r)) / np.sqrt(r)
    q = (q + q.transpose(0, 2, 1)) / 2
    x = rng.standard_normal((n, r))
    z = np.einsum("aij,ni,nj->na", q, x, x, optimize=True)
    tau = (np.trace(q, axis1=1, axis2=2) ** 2).sum() / (q**2).sum()
    return q, z, np.sqrt((r + 2 + tau) / (2 * n))


def learn(folder, q, z, r, *flags):
    path = lambda name: os.path.join(folder, name)
    np.save(path("z.npy"), z)
    d = len(q)
    truth = {
        "schema": "wickring/quadratic-map/1", "version": "0", "seed": 0, "status": "converged", "inputs": [], "report": {},
        "latent_dim": r, "output_dim": d, "quadratic": q.tolist(), "linear": [[0.0] * r] * d, "constant": [0.0] * d,
    }
    with open(path("truth.json"), "w") as f:
        json.dump(truth, f)
    run = subprocess.run(
        [BINARY, "learn", "quadratic", path("z.npy"), "--latent", str(r), "--reference", path("truth.json"),
         "--out", path("m.json"), "--json", *flags],
        capture_output=True, text=True,
    )
    if not run.stdout:
        return np.inf, False
    found = json.loads(run.stdout)
    distance = [e["measured"] for e in found["report"]["evidence"] if "distance to the reference" in e["name"]]
    return distance[0], found["status"] == "converged"


def cell(rows):
    errors = [e for e, _ in rows]
    return f"{np.median(errors):.2f} ({max(errors):.2f}), {sum(ok for _, ok in rows)}/{len(rows)}"


def noisy(seeds, folder):
    print("| r, d, n, noise | ignored, moments | told, moments | told, likelihood | estimated, likelihood | likelihood better in |")
    print("|---|---|---|---|---|---|")
    for r, d, n, share in NOISY:
        columns = [[], [], [], []]
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            q, z, floor = planted(d, r, n, rng)
            y = z + share * z.std(0) * rng.standard_normal(z.shape)
            # As a share of what is observed.
            told = f"{share / np.sqrt(1 + share**2):.6f}"
            runs = [("none", "false"), (told, "false"), (told, "true"), ("auto", "true")]
            for column, (noise, refine) in zip(columns, runs):
                error, ok = learn(folder, q, y, r, "--noise", noise, "--refine", refine)
                column.append((error / floor, ok))
        better = sum(b[0] < a[0] for a, b in zip(columns[1], columns[2]))
        cells = " | ".join(map(cell, columns))
        print(f"| {r}, {d}, {n}, {share} | {cells} | {better}/{seeds} |", flush=True)


def few(seeds, folder):
    print("| r, d (of r(r+1)/2) | n | accepted | error over floor, accepted: median (worst) | error over floor, others |")
    print("|---|---|---|---|---|")
    n = 6000
    for r, d in FEW:
        rows = []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            q, z, floor = planted(d, r, n, rng)
            error, ok = learn(folder, q, z, r)
            rows.append((error / floor, ok))
        yes, no = [e for e, ok in rows if ok], [e for e, ok in rows if not ok]
        text = lambda v: f"{np.median(v):.2f} ({max(v):.2f})" if v else "none"
        print(f"| {r}, {d} of {r * (r + 1) // 2} | {n} | {len(yes)}/{seeds} | {text(yes)} | {text(no)} |", flush=True)


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    parts = sys.argv[2:] or ["noise", "few"]
    with tempfile.TemporaryDirectory() as folder:
        if "noise" in parts:
            noisy(seeds, folder)
        if "few" in parts:
            few(seeds, folder)


if __name__ == "__main__":
    main()
