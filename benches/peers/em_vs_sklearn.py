"""Expectation maximisation beside scikit-learn: one sweep from the same start, and whole fits with the same number of starts.

    OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1 python benches/peers/em_vs_sklearn.py [sweep|fit] [SECONDS]

Both sides run one thread and are measured by processor time; a sweep of theirs is the difference of a short and a long run over
the difference of their sweeps, ours a climb over its sweeps; a fit of ours includes the tests of the fit, which they have none of. The program is target/release/examples/em_times or $EM_TIMES (`cargo build --release --features bench --example em_times`).
Cases are left out once SECONDS (default 600) are over.
"""
import os
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAYON_NUM_THREADS", "1")
import subprocess, sys, tempfile, time, warnings
import numpy as np
from sklearn.mixture import GaussianMixture

BIN = os.environ.get("EM_TIMES", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../target/release/examples/em_times"))
THEIRS = {"full": "full", "tied": "tied", "diagonal": "diag", "spherical": "spherical"}
SWEEP = [(10_000, 2, 3), (10_000, 2, 30), (10_000, 10, 3), (10_000, 10, 30), (10_000, 50, 10), (10_000, 10, 100), (100_000, 5, 10),
         (100_000, 20, 10), (10_000, 50, 100), (1_000_000, 2, 10)]
FIT = [(1_000, 2, 3), (3_000, 5, 4), (10_000, 2, 10), (10_000, 10, 10), (5_000, 5, 25), (100_000, 5, 5)]


def sample(n, d, k):
    rng = np.random.default_rng([n, d, k])
    means = rng.normal(size=(k, d)) * 4 / np.sqrt(d) * k ** (1 / d)
    label = rng.integers(k, size=n)
    return means[label] + rng.normal(size=(n, d)) * np.exp(.3 * rng.normal(size=(k, d)))[label]


def theirs(x, k, kind, **more):
    begun = time.process_time()
    found = GaussianMixture(k, covariance_type=kind, random_state=0, **more).fit(x)
    return time.process_time() - begun, found.n_iter_, found.score(x)


def their_sweep(x, k, kind, number):
    n, d = x.shape
    unit = {"full": np.array([np.eye(d)] * k), "tied": np.eye(d), "diag": np.ones((k, d)), "spherical": np.ones(k)}[kind]
    start = dict(tol=0, weights_init=np.full(k, 1 / k), means_init=x[np.arange(k) * (n // k)], precisions_init=unit)
    short, long = (theirs(x, k, kind, max_iter=m, **start) for m in (number, 4 * number))
    return (long[0] - short[0]) / max(long[1] - short[1], 1), long[1] - short[1], long[2]


def main():
    warnings.filterwarnings("ignore")
    mode, limit = (sys.argv + ["sweep", "600"])[1], float((sys.argv + ["", "600"])[2]) if len(sys.argv) > 2 else 600.
    begun = time.time()
    if mode == "sweep":
        print("| rows | columns | components | family | ours, ms a sweep | scikit-learn, ms a sweep | ours over theirs |")
        print("|---|---|---|---|---|---|---|")
    else:
        print("| rows | columns | components | family | ours, ms | of it tests | scikit-learn, ms | ours over theirs | without tests | ours minus theirs, nats a row |")
        print("|---|---|---|---|---|---|---|---|---|---|")
    for n, d, k in SWEEP if mode == "sweep" else FIT:
        x = sample(n, d, k)
        with tempfile.TemporaryDirectory() as at:
            file = os.path.join(at, "x.npy")
            np.save(file, x)
            for kind in THEIRS:
                if time.time() - begun > limit:
                    return
                number = max(10, min(200, int(4e7 / (n * k * d)))) if mode == "sweep" else 5
                told = subprocess.run([BIN, mode, file, str(k), kind, str(number)], capture_output=True, text=True)
                if told.returncode:
                    print(f"| {n} | {d} | {k} | {kind} | {told.stderr.strip()[:60]} | | | |", flush=True)
                    continue
                sweep, seconds, search, _, mean = [float(v) for v in told.stdout.split()]
                if mode == "sweep":
                    other = their_sweep(x, k, THEIRS[kind], max(2, number // 4))
                    print(f"| {n} | {d} | {k} | {kind} | {1e3 * sweep:.3g} | {1e3 * other[0]:.3g} | {sweep / other[0]:.2f} |", flush=True)
                else:
                    other = theirs(x, k, THEIRS[kind], n_init=number, tol=1e-6, max_iter=1000)
                    print(f"| {n} | {d} | {k} | {kind} | {1e3 * seconds:.3g} | {1e3 * (seconds - search):.3g} | {1e3 * other[0]:.3g} | "
                          f"{seconds / other[0]:.2f} | {search / other[0]:.2f} | {mean - other[2]:+.5f} |", flush=True)


if __name__ == "__main__":
    main()
