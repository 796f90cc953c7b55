"""Exact tensor rings: wickring against TensorLy's TR-ALS on the same tensors in one run, one thread.

Needs numpy and tensorly (0.10.0 was used) in a virtual environment of your own, and
`cargo build --release --features bench --example ring_times`. Usage: python benches/peers/ring_vs_tensorly.py [seeds]
"""
import os
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
import json, subprocess, sys, tempfile, time
import numpy as np
import tensorly as tl
from tensorly.decomposition import tensor_ring_als

CASES = [((20,) * 3, 3), ((20,) * 3, 4), ((50,) * 3, 5), ((36,) * 3, 6), ((70,) * 3, 8), ((20,) * 4, 3), ((12,) * 5, 3)]


def planted(dims, r, seed):
    rng = np.random.default_rng(seed)
    cores = [rng.standard_normal((r, n, r)) / np.sqrt(r) for n in dims]
    x = cores[0]
    for g in cores[1:]:
        x = np.tensordot(x, g, axes=1)
    return np.trace(x, axis1=0, axis2=-1)


def error(t, cores):
    return np.linalg.norm(tl.tr_to_tensor(cores) - t) / np.linalg.norm(t)


def peer(t, r, seed):
    start = time.perf_counter()
    found = tensor_ring_als(t, rank=r, ls_solve="normal_eq", n_iter_max=200, tol=1e-9, random_state=seed)
    total = (time.perf_counter() - start) * 1e3
    least = [float("inf")] * 2
    for _ in range(3):
        for k, sweeps in enumerate((20, 60)):
            start = time.perf_counter()
            tensor_ring_als(t, rank=r, ls_solve="normal_eq", n_iter_max=sweeps, tol=0.0, random_state=seed)
            least[k] = min(least[k], (time.perf_counter() - start) * 1e3)
    # The difference of a long and a short run: sweeps alone, on both sides.
    return total, error(t, found), (least[1] - least[0]) / 40


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(f"tensorly {tl.__version__}, numpy {np.__version__}; medians over {seeds} seeds; success: error < 1e-8")
    print("case            | wickring: ms per success, success, worst | TR-ALS normal_eq: ms per success, success | ratio | sweep ms: ours, theirs, ratio")
    for dims, r in CASES:
        n = seeds if np.prod(dims) < 2e5 else max(2, seeds // 5)
        with tempfile.TemporaryDirectory() as folder:
            files, theirs = [], []
            for seed in range(n):
                t = planted(dims, r, seed)
                files.append(f"{folder}/{seed}.npy")
                np.save(files[-1], t)
                theirs.append(peer(t, r, seed))
            out = subprocess.run(["target/release/examples/ring_times", str(r), *files], capture_output=True, text=True, check=True)
        ours = [json.loads(line) for line in out.stdout.splitlines()]
        ms, err, sweep = (np.array([o[k] for o in ours]) for k in ("ms", "error", "sweep_ms"))
        peer_ms, peer_err, peer_sweep = np.array(theirs).T
        # A failure must be repeated from another start: what counts is the time of all runs for each success.
        good, peer_good = np.sum(err < 1e-8), np.sum(peer_err < 1e-8)
        mine, other = ms.sum() / max(good, 1), peer_ms.sum() / max(peer_good, 1)
        print(f"{str(dims):16}r={r}| {mine:8.2f} {good}/{n} {err.max():.0e} | {other:8.1f} {peer_good}/{n}"
              f" | {other / mine:6.1f} | {np.median(sweep):.3f} {np.median(peer_sweep):.3f} {np.median(peer_sweep) / np.median(sweep):.1f}", flush=True)


if __name__ == "__main__":
    main()
