"""PARAFAC2 beside TensorLy's `parafac2`: residual and processor time on the same files, six starts each, one thread.

Needs numpy and tensorly (0.10.0 was used) in a virtual environment of your own, and `cargo build --release`.
Usage: python benches/peers/parafac2_vs_tensorly.py [--program target/release/wickring] [--draws 8]
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import tensorly as tl
from tensorly.decomposition import parafac2

STARTS = 6


def draw(case):
    """Slices of 6 to 24 rows with 0 to 30% noise, and the number of components."""
    rng = np.random.default_rng(case)
    rank, slices, width = [(2, 5, 8), (3, 8, 10), (3, 10, 12), (4, 12, 15)][case % 4]
    noise = [0.0, 0.01, 0.1, 0.3][case // 2 % 4]
    rows = rng.integers(rank + 4, 25, size=slices)
    core, shared = rng.normal(size=(rank, rank)), rng.normal(size=(width, rank))
    loadings = 0.3 + rng.random((slices, rank))
    bases = [np.linalg.qr(rng.normal(size=(n, rank)))[0] for n in rows]
    x = [p @ core @ np.diag(c) @ shared.T for p, c in zip(bases, loadings)]
    size = np.sqrt(sum((s**2).sum() for s in x) / sum(s.size for s in x))
    return [s + noise * size * rng.normal(size=s.shape) for s in x], rank, noise


def peer(x, rank):
    """The least relative residual of all starts, and their time."""
    norm = np.sqrt(sum((s**2).sum() for s in x))
    start, best = time.process_time(), np.inf
    for k in range(STARTS):
        init = "svd" if k == 0 else "random"
        found = parafac2(x, rank, n_iter_max=2000, init=init, random_state=k, tol=1e-9, n_iter_parafac=5)
        back = tl.parafac2_tensor.parafac2_to_slices(found)
        best = min(best, np.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(x, back))) / norm)
    return best, time.process_time() - start


def ours(program, path, rank):
    before = os.times()
    args = [program, "decompose", "parafac2", str(path), "--rank", str(rank), "--json", "--threads", "1"]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return json.loads(done.stdout), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default="target/release/wickring")
    parser.add_argument("--draws", type=int, default=8)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for case in range(args.draws):
            x, rank, noise = draw(case)
            path = pathlib.Path(folder) / f"{case}.npz"
            np.savez(path, **{f"run{k}": s for k, s in enumerate(x)})
            found, seconds = ours(args.program, path, rank)
            best, theirs = peer(x, rank)
            print(
                f"{len(x)} slices, rank {rank}, noise {noise}: {found['rel_error']:.8f} {found['status']}, "
                f"{found['unique']}, {seconds:.2f} s; tensorly {best:.8f}, {theirs:.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
