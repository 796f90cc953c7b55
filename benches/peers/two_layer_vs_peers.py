"""Overcomplete symmetric decomposition: wickring against TensorLy on the same tensors, one thread, one run.

    cargo build --release && python3 benches/peers/two_layer_vs_peers.py [--dim 30] [--rank 82] [--seeds 3]

TensorLy's `parafac` (ALS) from random starts until the relative error is below 1e-6 or 5 starts are used; the time of a
success counts the starts before it, as ours does. Ours is the whole command: reading the file, decomposing,
certifying, writing.
"""
import argparse, json, os, subprocess, tempfile, time

parser = argparse.ArgumentParser()
parser.add_argument("--dim", type=int, default=30)
parser.add_argument("--rank", type=int, default=82)
parser.add_argument("--seeds", type=int, default=3)
parser.add_argument("--binary", default="target/release/wickring")
args = parser.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import tensorly
from tensorly.decomposition import parafac

print(f"TensorLy {tensorly.__version__}, numpy {np.__version__}, d = {args.dim}, r = {args.rank}, one thread")
ratios = []
for seed in range(args.seeds):
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((args.rank, args.dim))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    t = np.einsum("ri,rj,rk->ijk", w, w, w)
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/t.npy", t)
        command = [args.binary, "decompose", "symmetric", f"{folder}/t.npy", "--rank", str(args.rank), "--json",
                   "--seed", str(seed), "--threads", "1", "--out", f"{folder}/f.npz"]
        clock = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        ours = time.perf_counter() - clock
        f = np.load(f"{folder}/f.npz")
        model = np.einsum("r,ir,jr,kr->ijk", f["weights"], *[f[f"factor_{k}"].reshape(args.dim, -1)
                          if f[f"factor_{k}"].shape[0] == args.dim else f[f"factor_{k}"].T for k in range(3)])
        error = np.linalg.norm(t - model) / np.linalg.norm(t)
    clock = time.perf_counter()
    for start in range(5):
        cp = parafac(t, args.rank, init="random", n_iter_max=2000, tol=1e-12, random_state=seed * 10 + start)
        theirs_error = np.linalg.norm(t - tensorly.cp_to_tensor(cp)) / np.linalg.norm(t)
        if theirs_error < 1e-6:
            break
    theirs = time.perf_counter() - clock
    ratios.append(theirs / ours)
    print(f"seed {seed}: ours {ours:.3f} s, exit {done.returncode}, error {error:.1e}; TensorLy {theirs:.2f} s, "
          f"{start + 1} starts, error {theirs_error:.1e}; ratio {theirs / ours:.1f}", flush=True)
print(f"median ratio {np.median(ratios):.1f}")
