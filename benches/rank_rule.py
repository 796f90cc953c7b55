"""How often `decompose cp --rank auto` is right: planted tensors of twelve kinds, pure noise, and a file.

    cargo build --release
    python benches/rank_rule.py --seed 1 [--draws 6] [--file amino.mat --name X --rank 3] [--program target/release/wickring]

Everything is drawn from the seed. A line for each kind says how many draws were right and lists the others as planted: chosen, with
a question mark where the command itself was undecided (exit code 3). The last line has the shares.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np

KINDS = [
    "Gaussian factors, .1 to 30% noise",
    "cosine .5 to .8",
    "cosine .9",
    "unequal weights",
    "smooth noise",
    "heavy noise",
    "counts",
    "rounded to 50 levels",
    "rank above a mode",
    "four modes",
    "five modes",
    "smooth factors",
]
SHAPES = [(12, 13, 14), (20, 15, 10), (15, 12, 16)]
NARROW = [(3, 14, 15), (4, 12, 16), (12, 3, 13)]


def collinear(rng, n, rank, cosine):
    gram = (1 - cosine) * np.eye(rank) + cosine
    return np.linalg.qr(rng.normal(size=(n, rank)))[0] @ np.linalg.cholesky(gram).T


def hills(rng, n, rank):
    top = (np.arange(rank) + 0.3 + 0.4 * rng.random(rank)) * n / rank
    width = n * (0.1 + 0.1 * rng.random(rank))
    return np.exp(-(((np.arange(n)[:, None] - top) / width) ** 2))


def smooth(rng, shape, mode, rho):
    """Noise that correlates by rho with its neighbour along one mode."""
    e = np.moveaxis(rng.normal(size=shape), mode, 0)
    for k in range(1, shape[mode]):
        e[k] = rho * e[k - 1] + np.sqrt(1 - rho * rho) * e[k]
    return np.moveaxis(e, 0, mode)


def product(weights, factors):
    t = weights
    for f in factors:
        t = t[..., None, :] * f
    return t.sum(axis=-1)


def noisy(t, share, e):
    return t + share * np.linalg.norm(t) / np.linalg.norm(e) * e


def draw(kind, rng):
    """A tensor of a kind, and its number of components."""
    shape = {8: NARROW[rng.integers(3)], 9: (9, 8, 10, 7), 10: (6, 5, 7, 5, 6)}.get(kind, SHAPES[rng.integers(3)])
    rank = {2: rng.integers(2, 5), 8: min(shape) + 1}.get(kind, rng.integers(1, 6))
    if kind in (1, 2):
        cosine = 0.9 if kind == 2 else 0.5 + 0.3 * rng.random()
        factors = [collinear(rng, n, rank, cosine) for n in shape]
    elif kind == 11:
        factors = [hills(rng, n, rank) for n in shape]
    else:
        factors = [rng.normal(size=(n, rank)) for n in shape]
    weights = np.ones(rank)
    if kind == 3:
        factors = [f / np.linalg.norm(f, axis=0) for f in factors]
        weights = 0.6 ** np.arange(rank)
    if kind == 6:
        factors = [np.abs(f) for f in factors]
    t, e = product(weights, factors), rng.normal(size=shape)
    noise = rng.choice([0.001, 0.01, 0.05, 0.1, 0.2, 0.3])
    if kind == 4:
        t = noisy(t, 0.5 * noise, smooth(rng, shape, rng.integers(3), 0.8))
    elif kind == 5:
        t = noisy(t, 0.15, rng.standard_t(3, size=shape))
    elif kind == 6:
        t = rng.poisson(10 * t / t.mean()).astype(float)
    elif kind == 7:
        t = noisy(t, 0.01, e)
        t = np.round(25 * t / np.abs(t).max())
    else:
        t = noisy(t, {2: 0.01, 3: 0.05, 8: 0.01}.get(kind, noise), e)
    return t, int(rank)


def nothing(k, rng):
    """Pure noise: independent twice, heavy, smooth."""
    shape = [(12, 13, 14), (9, 8, 10, 7), (15, 12, 16)][k % 3]
    if k % 4 == 2:
        return rng.standard_t(3, size=shape)
    return smooth(rng, shape, 1, 0.8) if k % 4 == 3 else rng.normal(size=shape)


def chosen(program, path, *more):
    """The number that the command says, and whether it is sure."""
    args = [program, "decompose", "cp", str(path), "--rank", "auto", "--json", "--threads", "1", *more]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    return report["rank"], done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--program", default="target/release/wickring")
    parser.add_argument("--only", type=int)
    parser.add_argument("--file")
    parser.add_argument("--name", default="X")
    parser.add_argument("--rank", type=int)
    args = parser.parse_args()
    start, right, sure, total, claimed = time.time(), 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "t.npy"
        for kind, name in enumerate(KINDS):
            if args.only not in (None, kind):
                continue
            wrong = []
            for k in range(args.draws):
                t, rank = draw(kind, np.random.default_rng([args.seed, kind, k]))
                np.save(path, t)
                found, certain = chosen(args.program, path)
                if found == rank:
                    right, sure = right + 1, sure + certain
                else:
                    wrong.append(f"{rank}: {found}{'' if certain else '?'} (draw {k})")
                total += 1
            print(f"{args.draws - len(wrong)}/{args.draws} {name}  {', '.join(wrong)}", flush=True)
        for k in range(20 if args.only is None else 0):
            np.save(path, nothing(k, np.random.default_rng([args.seed, 99, k])))
            claimed += chosen(args.program, path)[0] > 0
    print(f"right {right}/{total}, {sure} of these sure; pure noise given a rank {claimed}/20; {time.time() - start:.0f} s")
    if args.file:
        found, certain = chosen(args.program, args.file, "--name", args.name)
        print(f"{args.file}: {found}{'' if certain else '?'}, known {args.rank}")


if __name__ == "__main__":
    main()
