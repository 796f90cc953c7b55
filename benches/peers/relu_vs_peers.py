"""Narrow relu networks: wickring against scikit-learn and a plain multi-start Levenberg-Marquardt.

    cargo build --release && python3 benches/peers/relu_vs_peers.py [--networks 3] [--only NAME] [--threads 1]

Same samples, same machine, same number of threads for every method; the error is relative to the variance, on 20000
fresh samples. Levenberg-Marquardt here is dense numpy in all dimensions, eight random starts at the planted width,
stopped at the first exact one; `wickring learn relu --random-starts 8` is the same with our kernels.
scikit-learn is given width 8k and both solvers, the better of the two counted and their times added.
"""
import argparse, json, os, subprocess, sys, tempfile, time

parser = argparse.ArgumentParser()
parser.add_argument("--networks", type=int, default=3)
parser.add_argument("--only", default="")
parser.add_argument("--threads", default="1")
parser.add_argument("--binary", default="target/release/wickring")
args = parser.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = args.threads

import numpy as np
import sklearn
from sklearn.neural_network import MLPRegressor
import warnings

warnings.filterwarnings("ignore")


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def plant(kind, d, k, rng, theta=0.1):
    """Outer and inner weights of sum mu_i relu(<u_i, x>)."""
    u = unit(rng.standard_normal((k, d)))
    mu = rng.choice([-1.0, 1.0], k) * rng.uniform(0.5, 1.5, k)
    if kind == "near":
        t = rng.standard_normal(d)
        t = unit(t - (t @ u[0]) * u[0])
        u[1] = np.cos(theta) * u[0] + np.sin(theta) * t
        mu[0], mu[1] = 1.0, 0.8
    if kind == "star":
        plane = np.linalg.qr(rng.standard_normal((d, 2)))[0].T
        angle = np.pi * np.arange(k) / k
        a = np.stack([np.cos(angle), np.sin(angle)], 1) @ plane
        u, mu = np.vstack([a, -a]), np.tile((-1.0) ** np.arange(k), 2)
    return mu, u


def network(mu, u, x):
    return np.maximum(x @ u.T, 0) @ mu


def descend(x, y, w, a, s, sweeps=40):
    """Dense Levenberg-Marquardt on <w, x> + sum s_i |<a_i, x>|."""
    n, d = x.shape
    k, damping, scale = len(a), 1e-3, np.mean(y**2)
    value = lambda w, a: x @ w + np.abs(x @ a.T) @ s
    residual = y - value(w, a)
    best = np.mean(residual**2)
    for _ in range(sweeps):
        signs = np.sign(x @ a.T) * s
        jacobian = np.hstack([x] + [x * signs[:, i : i + 1] for i in range(k)])
        h, g = jacobian.T @ jacobian / n, jacobian.T @ residual / n
        for _ in range(6):
            p = np.linalg.solve(h + damping * np.diag(np.diag(h) + 1e-12), g)
            w2, a2 = w + p[:d], a + p[d:].reshape(k, d)
            r2 = y - value(w2, a2)
            cost = np.mean(r2**2)
            if cost < best:
                break
            damping = max(damping * 8, 1e-10)
        else:
            break
        gain, w, a, residual, best = 1 - cost / best, w2, a2, r2, cost
        damping = max(damping / 8, 1e-15)
        if best < 1e-26 * scale or gain < 1e-9:
            break
    return best, w, a


def multistart(x, y, k, rng, starts=8):
    best = None
    for _ in range(starts):
        a = unit(rng.standard_normal((k, x.shape[1]))) * y.std()
        s = rng.choice([-1.0, 1.0], k)
        cost, w, a = descend(x, y, x.T @ y / len(y), a, s)
        if best is None or cost < best[0]:
            best = (cost, w, a, s)
        if cost < 1e-20 * np.mean(y**2):
            break
    _, w, a, s = best
    return lambda q: q @ w + np.abs(q @ a.T) @ s


def ours(folder, x, y, fresh, extra=()):
    paths = {n: os.path.join(folder, n) for n in ("x.npy", "y.npy", "q.npy", "m.json", "p.npy")}
    np.save(paths["x.npy"], x), np.save(paths["y.npy"], y), np.save(paths["q.npy"], fresh)
    learn = [args.binary, "learn", "relu", "--inputs", paths["x.npy"], "--targets", paths["y.npy"], "--out", paths["m.json"]]
    clock = time.perf_counter()
    code = subprocess.run(learn + list(extra) + ["--quiet", "--threads", args.threads]).returncode
    seconds = time.perf_counter() - clock
    if code not in (0, 3):
        sys.exit(f"wickring failed with {code}")
    predict = [args.binary, "predict", paths["m.json"], "--input", paths["q.npy"], "--out", paths["p.npy"], "--quiet"]
    subprocess.run(predict, check=True)
    return np.load(paths["p.npy"]), seconds


def perceptron(x, y, fresh, k):
    best, total = None, 0.0
    for solver in ("lbfgs", "adam"):
        clock = time.perf_counter()
        net = MLPRegressor(hidden_layer_sizes=(8 * k,), solver=solver, max_iter=2000 if solver == "lbfgs" else 300, tol=1e-9, random_state=0)
        net.fit(x, y)
        total += time.perf_counter() - clock
        value = net.predict(fresh)
        if best is None or net.loss_ < best[0]:
            best = (net.loss_, value)
    return best[1], total


CASES = [
    ("separated", "sep", 20, 3, 500),
    ("separated", "sep", 50, 5, 1000),
    ("separated", "sep", 50, 8, 10000),
    ("near .1", "near", 20, 3, 10000),
    ("star", "star", 50, 4, 3000),
    ("star", "star", 50, 6, 8000),
]

print(f"numpy {np.__version__}, scikit-learn {sklearn.__version__}, {args.threads} thread(s), seeds 0..{args.networks - 1}")
print("case d k n | method: median relative error, median seconds")
for name, kind, d, k, n in CASES:
    if args.only not in name:
        continue
    table = {}
    for seed in range(args.networks):
        rng = np.random.default_rng(seed)
        mu, u = plant(kind, d, k, rng)
        x, fresh = rng.standard_normal((n, d)), rng.standard_normal((20000, d))
        y, truth = network(mu, u, x), network(mu, u, fresh)
        error = lambda v: np.mean((v - truth) ** 2) / truth.var()
        with tempfile.TemporaryDirectory() as folder:
            v, seconds = ours(folder, x, y, fresh)
            table.setdefault("wickring", []).append((error(v), seconds))
            v, seconds = ours(folder, x, y, fresh, ["--random-starts", "8", "--neurons", str(k)])
            table.setdefault("wickring, 8 random starts", []).append((error(v), seconds))
        clock = time.perf_counter()
        model = multistart(x, y, k, rng)
        seconds = time.perf_counter() - clock
        table.setdefault("numpy LM, 8 random starts", []).append((error(model(fresh)), seconds))
        v, seconds = perceptron(x, y, fresh, k)
        table.setdefault("MLPRegressor", []).append((error(v), seconds))
    for method, rows in table.items():
        e, s = np.median(np.array(rows), axis=0)
        print(f"{name} {d} {k} {n} | {method}: {e:.1e}, {s:.2f} s", flush=True)
