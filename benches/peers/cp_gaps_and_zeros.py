"""CP with missing entries against TensorLy, and of sparse tensors against pyttb, by the command line.

    cargo build --release && python benches/peers/cp_gaps_and_zeros.py [SEEDS] [FIRST]

Processor time of one thread on both sides, interleaved; ours includes reading the file. For gaps both sides fit the
entries that were kept, and the error is that of the gaps against the truth; ours chooses its own starts, TensorLy runs
`parafac(mask=.., init="random", n_iter_max=500, tol=1e-8)` once. For zeros the figure is the time of a sweep: the
difference of 15 and 5 sweeps over 10.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402

PROGRAM = Path(__file__).resolve().parents[2] / "target/release/wickring"


def ours(*args: object) -> tuple[float, dict]:
    """Processor seconds and report of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([PROGRAM, *map(str, args), "--threads", "1", "--json"], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, json.loads(done.stdout)


def gaps(folder: Path, missing: float, seed: int) -> None:
    import tensorly as tl
    from tensorly.decomposition import parafac

    rng = np.random.default_rng(seed)
    factors = [rng.normal(size=(40, 4)) for _ in range(3)]
    truth = np.einsum("ir,jr,kr->ijk", *factors)
    seen = truth + 1e-3 * np.linalg.norm(truth) / 40**1.5 * rng.normal(size=truth.shape)
    mask = rng.random(truth.shape) >= missing
    np.save(folder / "t.npy", np.where(mask, seen, np.nan))

    def off(model: np.ndarray) -> float:
        return float(np.linalg.norm((model - truth)[~mask]) / np.linalg.norm(truth[~mask]))

    seconds, report = ours("decompose", "cp", folder / "t.npy", "--rank", 4, "--missing", "mask", "--out", folder / "f.npz", "--force")
    f = np.load(folder / "f.npz")
    model = np.einsum("r,ir,jr,kr->ijk", f["weights"], *[f[f"factor_{m}"] for m in range(3)])
    begun = time.process_time()
    theirs = parafac(tl.tensor(np.where(mask, seen, 0)), 4, mask=mask, init="random", n_iter_max=500, tol=1e-8, random_state=seed)
    peer = time.process_time() - begun
    print(f"{missing:.0%} missing, seed {seed}: {seconds:.3f} s {report['status']} {off(model):.1e}   "
          f"TensorLy {peer:.3f} s {off(tl.cp_to_tensor(theirs)):.1e}", flush=True)


def zeros(folder: Path, entries: int, seed: int) -> None:
    import pyttb as ttb

    rng = np.random.default_rng(seed)
    shape = (100_000, 10_000, 1000)
    where = np.unique(np.column_stack([rng.integers(0, n, entries) for n in shape]), axis=0)
    values = rng.normal(size=len(where))
    with open(folder / "t.tns", "w") as out:
        out.writelines(f"{i + 1} {j + 1} {k + 1} {v!r}\n" for (i, j, k), v in zip(where.tolist(), values.tolist()))

    def sweeps(n: int) -> float:
        return ours("decompose", "cp", folder / "t.tns", "--rank", 16, "--starts", 1, "--iterations", n)[0]

    tensor = ttb.sptensor(where, values[:, None], shape)

    def peer(n: int) -> float:
        begun = time.process_time()
        ttb.cp_als(tensor, 16, maxiters=n, stoptol=0, printitn=0)
        return time.process_time() - begun

    least, most = sweeps(5), sweeps(15)
    theirs = (peer(4) - peer(2)) / 2
    print(f"{len(where)} entries: {1e3 * (most - least) / 10:.1f} ms a sweep ({least:.2f} s with reading and 5 sweeps)   "
          f"pyttb {1e3 * theirs:.0f} ms", flush=True)


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as name:
        for missing in (0.25, 0.5, 0.9, 0.99):
            for seed in range(first, first + seeds):
                gaps(Path(name), missing, seed)
        for entries in (200_000, 1_000_000):
            zeros(Path(name), entries, first)


if __name__ == "__main__":
    main()
