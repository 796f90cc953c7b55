"""How often `learn mixture` says converged: of planted mixtures it should, of other laws it should not.

    python benches/peers/mixture_power.py [CASES [FIRST_SEED [METHOD]]]

Each seed draws one planted mixture (1 to 3 columns, 1 to 4 components of one random family, 200 to 2000 rows) and one law that
is no mixture of the few components allowed (`--max-components 4`), with 200, 600 or 2000 rows. The binary is
target/release/wickring or $WICKRING. Printed: refusals of the planted, and of each other law how many were not converged, by rows.
"""
import collections, json, os, subprocess, sys, tempfile
import numpy as np

BIN = os.environ.get("WICKRING", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../target/release/wickring"))


def planted(rng):
    dim, k, n = int(rng.integers(1, 4)), int(rng.integers(1, 5)), int(rng.choice([200, 600, 2000]))
    means = rng.normal(size=(k, dim)) * 6
    family = rng.choice(["spherical", "diagonal", "full", "tied"])
    def root():
        if family == "spherical":
            return np.eye(dim) * np.exp(.5 * rng.normal())
        if family == "diagonal":
            return np.diag(np.exp(.5 * rng.normal(size=dim)))
        return np.linalg.qr(rng.normal(size=(dim, dim)))[0] * np.exp(.5 * rng.normal(size=dim))
    roots = [root() for _ in range(k)]
    if family == "tied":
        roots = roots[:1] * k
    weight = rng.dirichlet(np.full(k, 4))
    label = rng.choice(k, n, p=weight)
    return means[label] + np.einsum("nij,nj->ni", np.array(roots)[label], rng.normal(size=(n, dim)))


def turned(r, t):
    return np.c_[r * np.cos(t), r * np.sin(t)]


WRONG = {
    "cauchy": lambda n, g: g.standard_cauchy(size=(n, 2)),
    "t3": lambda n, g: g.standard_t(3, size=(n, 2)),
    "laplace": lambda n, g: g.laplace(size=(n, 2)),
    "uniform": lambda n, g: g.random(size=(n, 2)),
    "exponential": lambda n, g: g.exponential(size=(n, 2)),
    "lognormal": lambda n, g: g.lognormal(size=(n, 1)),
    "ring": lambda n, g: turned(3 + .2 * g.normal(size=n), 2 * np.pi * g.random(n)),
    "spiral": lambda n, g: turned(*(lambda t: (t, t))(1 + 9 * np.sqrt(g.random(n)))) + .2 * g.normal(size=(n, 2)),
    "grid": lambda n, g: np.c_[g.integers(4, size=n), g.integers(4, size=n)] * 5. + g.normal(size=(n, 2)),
    "product": lambda n, g: (lambda z: np.c_[z[:, 0], z[:, 0] * z[:, 1]])(g.normal(size=(n, 2))),
}


def status(x, method):
    with tempfile.TemporaryDirectory() as at:
        a, m = os.path.join(at, "a.npy"), os.path.join(at, "m.json")
        np.save(a, x)
        done = subprocess.run([BIN, "learn", "mixture", a, "--method", method, "--max-components", "4", "--starts", "8", "--out", m,
                               "--json"], capture_output=True, text=True)
        if done.returncode not in (0, 3):
            return "refused"
        found = json.loads(done.stdout)
        failed = [c["key"] for c in found["report"].get("checks", []) if not c.get("holds", True)]
        return found["status"] + (f" ({failed[0]})" if failed else "")


def main():
    cases, first, method = int((sys.argv + ["20"])[1]), int((sys.argv + ["", "0"])[2] if len(sys.argv) > 2 else 0), "em"
    method = sys.argv[3] if len(sys.argv) > 3 else method
    size, power = collections.Counter(), collections.defaultdict(collections.Counter)
    names = list(WRONG)
    for seed in range(first, first + cases):
        size[status(planted(np.random.default_rng([1, seed])), method).split(" ")[0]] += 1
        name, n = names[seed % len(names)], (200, 600, 2000)[seed // len(names) % 3]
        power[name, n][status(WRONG[name](n, np.random.default_rng([2, seed])), method).split(" ")[0]] += 1
    print(f"planted, {cases} cases: " + ", ".join(f"{v} {k}" for k, v in size.most_common()))
    false = sum(c["converged"] for c in power.values())
    print(f"other laws, {cases} cases: {false} converged")
    for (name, n), c in sorted(power.items()):
        print(f"  {name} n={n}: " + ", ".join(f"{v} {k}" for k, v in c.most_common()))


if __name__ == "__main__":
    main()
