"""CP of large dense tensors by the command line against pyttb.

    cargo build --release && python benches/peers/cp_sizes.py [SEEDS] [FIRST] [--long]

Processor time of one thread on both sides, interleaved; ours includes reading the file and the evidence, pyttb runs
`cp_als(init="nvecs")` on the tensor in memory. Errors are relative to the data. `--long` adds 500^3 and a mode of a million.
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
import pyttb as ttb  # noqa: E402

PROGRAM = Path(__file__).resolve().parents[2] / "target/release/wickring"
CASES = [((100, 100, 100), 10, 0.01), ((200, 200, 200), 20, 0.01), ((200, 200, 200), 1, 0.01), ((10_000, 20, 5), 8, 0.01)]
LONG = [((500, 500, 500), 20, 0.01), ((1_000_000, 20, 5), 8, 0.01)]


def ours(*args: object) -> tuple[float, float, dict]:
    """Processor seconds, peak bytes and report of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([PROGRAM, *map(str, args), "--threads", "1", "--json"], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, after.ru_maxrss * 1024.0, json.loads(done.stdout)


def case(folder: Path, shape: tuple[int, ...], rank: int, noise: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    factors = [rng.normal(size=(n, rank)) for n in shape]
    t = np.einsum("ir,jr,kr->ijk", *factors, optimize=True)
    t += noise * np.linalg.norm(t) / np.sqrt(t.size) * rng.normal(size=shape)
    np.save(folder / "t.npy", t)
    seconds, _, report = ours("decompose", "cp", folder / "t.npy", "--rank", rank)
    begun = time.process_time()
    # Its spectral start exists for ranks up to the shortest mode only.
    start = "nvecs" if rank <= min(shape) else "random"
    model, _, _ = ttb.cp_als(ttb.tensor(t), rank, init=start, printitn=0)
    peer = time.process_time() - begun
    error = np.linalg.norm(model.full().data - t) / np.linalg.norm(t)
    print(f"{'x'.join(map(str, shape))} R{rank}, seed {seed}: {seconds:.3f} s {report['status']} {report['rel_error']:.7f}   "
          f"pyttb {peer:.3f} s {error:.7f}   {peer / seconds:.1f}", flush=True)


def main() -> None:
    numbers = [int(a) for a in sys.argv[1:] if not a.startswith("-")]
    seeds, first = (numbers + [3, 0][len(numbers):])[:2]
    with tempfile.TemporaryDirectory() as name:
        for shape, rank, noise in CASES + (LONG if "--long" in sys.argv else []):
            for seed in range(first, first + seeds):
                case(Path(name), shape, rank, noise, seed)


if __name__ == "__main__":
    main()
