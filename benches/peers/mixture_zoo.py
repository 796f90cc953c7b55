"""The zoo of `mixture_vs_sklearn.py zoo`: laws and data sets, held-out log-likelihood of the default settings against
scikit-learn's best of ten starts with BIC over families and numbers of components, and a kernel estimate.

    python benches/peers/mixture_vs_sklearn.py zoo [SET[:ROWS[:SEEDS]] ...]

A law is drawn from the seed; data sets are split 70 to 30 by the seed. All three see the same columns, scaled to standard deviation
one on the rows that learn. A row of the table: mean `log p` of each on the rows held out, ours minus the best of the others
with the standard error of this difference, and processor seconds of each (with OMP_NUM_THREADS=1 for the others), so that a machine with
other work does not matter.
"""
import csv, json, os, resource, subprocess, tempfile, time, warnings
import numpy as np

TEST = 2000
MOST, PATIENCE = 15, 3


# Laws in the plane.
def grid(n, rng):
    at = np.array([(x, y) for x in range(5) for y in range(5)], float) * 3
    return at[rng.integers(25, size=n)] + .4 * rng.standard_normal((n, 2))


def rings(n, rng):
    r = np.where(rng.random(n) < .5, 1., 2.5) + .1 * rng.standard_normal(n)
    t = 2 * np.pi * rng.random(n)
    return np.c_[r * np.cos(t), r * np.sin(t)]


def moons(n, rng):
    t, up = np.pi * rng.random(n), rng.random(n) < .5
    x = np.where(up[:, None], np.c_[np.cos(t), np.sin(t)], np.c_[1 - np.cos(t), .5 - np.sin(t)])
    return x + .1 * rng.standard_normal((n, 2))


def spirals(n, rng):
    t, sign = 1 + 9 * np.sqrt(rng.random(n)), rng.choice([-1, 1], n)
    return np.c_[sign * t * np.cos(t), sign * t * np.sin(t)] + .3 * rng.standard_normal((n, 2))


def circle(n, rng):
    t = 2 * np.pi * rng.random(n)
    return 4 * np.c_[np.cos(t), np.sin(t)] + rng.standard_normal((n, 2))


def disc(n, rng):
    r, t = 6 * np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
    return np.c_[r * np.cos(t), r * np.sin(t)] + rng.standard_normal((n, 2))


def anisotropic(n, rng):
    x = np.array([[0, 0], [4, 0], [2, 5]], float)[rng.integers(3, size=n)] + rng.standard_normal((n, 2))
    return x @ np.array([[.6, -.6], [-.4, .8]])


def unequal(n, rng):
    k = rng.choice(4, n, p=[.64, .3, .05, .01])
    return np.array([[0, 0], [6, 0], [0, 6], [8, 8]], float)[k] + np.array([1, .7, .5, .3])[k][:, None] * rng.standard_normal((n, 2))


def contaminated(n, rng):
    x = np.array([[-3, 0], [3, 0]], float)[rng.integers(2, size=n)] + rng.standard_normal((n, 2))
    return np.where((rng.random(n) < .03)[:, None], 30 * (rng.random((n, 2)) - .5), x)


def space(dim, count):
    """Full covariances around means at random."""
    def draw(n, rng):
        law = np.random.default_rng(1000 + dim)
        means = 3 * law.standard_normal((count, dim)) / np.sqrt(dim / 4)
        roots = [np.linalg.qr(law.standard_normal((dim, dim)))[0] * np.exp(.5 * law.standard_normal(dim)) for _ in range(count)]
        k = rng.integers(count, size=n)
        return means[k] + np.einsum("nij,nj->ni", np.array(roots)[k], rng.standard_normal((n, dim)))
    return draw


LAWS = {f.__name__: f for f in (grid, rings, moons, spirals, circle, disc, anisotropic, unequal, contaminated)}
LAWS |= {"space10": space(10, 5), "space20": space(20, 4)}


# Data sets.
def beside(name, folder=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared/data/mixtures")):
    with open(os.path.join(os.environ.get("MIXTURES", folder), name)) as f:
        rows = list(csv.reader(f))[1:]
    return np.array(rows, float)


def pixels(name):
    from sklearn.datasets import load_sample_image
    x = load_sample_image(name).reshape(-1, 3).astype(float)
    rng = np.random.default_rng(0)
    # Whole numbers are spread over their steps, as three estimates of a density see them alike then.
    return x[rng.choice(len(x), 4000, replace=False)] + rng.random((4000, 3)) - .5


def from_sklearn(name, columns=None, principal=None):
    from sklearn import datasets
    x = getattr(datasets, f"load_{name}")().data
    x = x[:, columns] if columns is not None else x
    if principal:
        x = (x - x.mean(0)) @ np.linalg.svd(x - x.mean(0), full_matrices=False)[2][:principal].T
    return x


def from_statsmodels(name, columns, jitter=0):
    import importlib
    module = importlib.import_module(f"statsmodels.datasets.{name}")
    x = module.load_pandas().data[columns].dropna().to_numpy(float)
    return x + jitter * (np.random.default_rng(0).random(x.shape) - .5)


REAL = {
    "faithful": lambda: beside("faithful.csv"),
    "galaxies": lambda: beside("galaxies_1000km_s.csv"),
    "iris": lambda: from_sklearn("iris"),
    "wine": lambda: from_sklearn("wine"),
    "cancer": lambda: from_sklearn("breast_cancer", [0, 1, 4, 5, 6]),
    "diabetes": lambda: from_sklearn("diabetes", [0, 2, 3, 4, 5, 8, 9]),
    "digits": lambda: from_sklearn("digits", principal=6),
    "china": lambda: pixels("china.jpg"),
    "flower": lambda: pixels("flower.jpg"),
    "elnino": lambda: from_statsmodels("elnino", ["JAN", "APR", "JUL", "OCT"]),
    "macro": lambda: from_statsmodels("macrodata", ["infl", "unemp", "realint"]),
}


def cut(name, n, seed):
    """Rows that learn and rows held out."""
    rng = np.random.default_rng([seed, sum(map(ord, name))])
    if name in LAWS:
        x = LAWS[name](n + TEST, rng)
        a, b = x[:n], x[n:]
    else:
        x = REAL[name]()
        p = rng.permutation(len(x))
        cut = len(x) * 7 // 10
        a, b = x[p[:cut]], x[p[cut:]][:TEST]
    centre, scale = a.mean(0), a.std(0)
    return (a - centre) / scale, (b - centre) / scale


def scikit(a, b):
    from sklearn.mixture import GaussianMixture
    best = None
    for family in ("spherical", "diag", "tied", "full"):
        own, worse = -np.inf, 0
        for k in range(1, min(MOST, len(a) // 4) + 1):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                m = GaussianMixture(k, covariance_type=family, n_init=10, random_state=0, max_iter=300).fit(a)
            bic = -m.bic(a)
            own, worse = (bic, 0) if bic > own else (own, worse + 1)
            best = (bic, m) if best is None or bic > best[0] else best
            if worse >= PATIENCE:
                break
    return best[1].score_samples(b), f"{best[1].covariance_type} {best[1].n_components}"


def kernel(a, b):
    from sklearn.model_selection import GridSearchCV
    from sklearn.neighbors import KernelDensity
    few = a[np.random.default_rng(0).permutation(len(a))[:2000]]
    widths = np.geomspace(.03, 1.5, 12)
    h = GridSearchCV(KernelDensity(), {"bandwidth": widths}, cv=5).fit(few).best_params_["bandwidth"]
    h *= (len(few) / len(a)) ** (1 / (4 + a.shape[1]))
    return KernelDensity(bandwidth=h).fit(a).score_samples(b), f"width {h:.3f}"


def ours(binary, a, b, extra=()):
    with tempfile.TemporaryDirectory() as at:
        p = lambda name: os.path.join(at, name)
        np.save(p("a.npy"), a), np.save(p("b.npy"), b)
        run = lambda *w: subprocess.run([binary, *w, "--quiet"], capture_output=True, text=True)
        done = run("learn", "mixture", p("a.npy"), *extra, "--out", p("m.json"))
        if done.returncode not in (0, 3):
            return None, done.stderr.strip()
        report = json.load(open(p("m.json")))
        header = report.get("header", report)
        text = report["report"]
        kind = text["method"] + (f" {text['covariance']} {len(report['components'])}" if text["method"] == "em" else "")
        done = run("predict", p("m.json"), "--input", p("b.npy"), "--out", p("l.npy"))
        if done.returncode not in (0, 3):
            return None, done.stderr.strip()
        return np.load(p("l.npy")), f"{kind}, {header['status']}"


def spent():
    inside = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + inside.ru_utime + inside.ru_stime


def row(binary, name, n, seed):
    a, b = cut(name, n, seed)
    clock, found = spent(), {}
    for who, fit in (("ours", lambda: ours(binary, a, b)), ("scikit", lambda: scikit(a, b)), ("kernel", lambda: kernel(a, b))):
        log_density, words = fit()
        found[who] = log_density, words, spent() - clock
        clock = spent()
    mine = found["ours"][0]
    if mine is None:
        return f"| {name} | {len(a)} | {seed} | refused: {found['ours'][1]} |"
    peer = max(("scikit", "kernel"), key=lambda w: found[w][0].mean())
    gap = mine - found[peer][0]
    error = gap.std(ddof=1) / np.sqrt(len(gap))
    ok = gap.mean() >= -max(.02, 2 * error)
    cells = [f"{found[w][0].mean():.4f} ({found[w][1]}, {found[w][2]:.1f} s)" for w in ("ours", "scikit", "kernel")]
    return (f"| {name} | {len(a)} x {a.shape[1]} | {seed} | " + " | ".join(cells)
            + f" | {gap.mean():+.4f} +- {error:.4f} {'meets' if ok else 'MISSES'} |")


def run(binary, words):
    print("| set | rows | seed | ours | scikit-learn | kernel | ours minus the better |\n|---|---|---|---|---|---|---|")
    for word in words or [*(f"{name}:{n}" for n in (200, 1000, 5000) for name in LAWS), *REAL]:
        name, n, seeds = [*word.split(":"), *["1000", "1"][word.count(":"):]]
        for seed in range(int(seeds)):
            print(row(binary, name, int(n), seed), flush=True)
