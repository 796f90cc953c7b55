"""A trillion rows on a thousand workers: simulated from costs that are measured here.

    pip install ./python numpy
    python benches/scale_plan.py [--rows 1e12] [--workers 1000] [--columns 30] [--latents 4] [--write docs/SCALE.md]

Measured on one core: a row in each pass, the bytes of an answer, the sum of two answers. Simulated: every worker takes chunks
from one queue; a chunk takes what was measured times a factor drawn for each worker (log-normal) and each chunk; one chunk in
ten thousand is lost and asked for again; answers are added up by a tree of pairs over a network of the given speed. The seed is
fixed. With --write the tables in the document are replaced.
"""

import argparse
import heapq
import pathlib
import re
import time

import numpy as np

import wickring
from wickring.learn import QuadraticMap

NAMES = {"panel": "panel", "outputs": "means and covariances", "third": "third moments", "variety": "rows off the variety"}


def outputs(rows, columns, latents, rng):
    z = rng.normal(size=(rows, latents))
    q = rng.normal(size=(columns, latents, latents))
    return np.einsum("ni,aij,nj->na", z, q + q.transpose(0, 2, 1), z, optimize=True)


def measured(x, panel):
    """Seconds a row, bytes of an answer and seconds of adding two, for every pass of the learner."""
    found = {}

    def engine(question):
        name = next(n for n in NAMES if f'"{n}"' in question.to_text()[:16])
        start = time.process_time()
        whole = question.of_rows(0, 0, x)
        seconds = time.process_time() - start
        half = len(x) // 2
        left = question.of_rows(0, 0, x[:half])
        right = question.of_rows(half, question.learning_rows(0, half), x[half:])
        start = time.process_time()
        both = left + right
        adding = time.process_time() - start
        assert both == whole
        found[name] = (seconds / len(x), len(both.to_bytes()), adding)
        return whole

    learner = QuadraticMap(random_state=0, panel=panel).fit_passes(engine, x.shape[1])
    assert learner.converged_
    return found


def simulated(rows, workers, chunk, cost, rng, mbit, spread, lost):
    """Seconds of one pass: until the last chunk, and until the last sum."""
    a_row, size, adding = cost
    chunks = int(np.ceil(rows / chunk))
    speed = np.exp(spread * rng.normal(size=workers))
    free = [(0.0, w) for w in range(workers)]
    heapq.heapify(free)
    again, done = 0, 0.0
    left = chunks
    while left or again:
        at, w = heapq.heappop(free)
        if left:
            left -= 1
        else:
            again -= 1
        end = at + a_row * chunk * speed[w] * np.exp(0.1 * rng.normal())
        if rng.random() < lost:
            again += 1
        heapq.heappush(free, (end, w))
        done = max(done, end)
    # Every worker keeps one running sum; then a tree over the workers.
    depth = int(np.ceil(np.log2(workers)))
    tree = depth * (adding + 8e-6 * size / mbit)
    return done + chunks / workers * adding, tree, depth


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=1e12)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--latents", type=int, default=4)
    parser.add_argument("--chunk", type=float, default=1e7)
    parser.add_argument("--mbit", type=float, default=1000.0, help="speed of the network between two workers")
    parser.add_argument("--disk", type=float, default=200.0, help="MB/s at which a worker reads its rows (float32)")
    parser.add_argument("--sample", type=int, default=200_000, help="rows that costs are measured with")
    parser.add_argument("--write")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    costs = measured(outputs(args.sample, args.columns, args.latents, rng), 50_000)
    reading = 4e-6 * args.columns / args.disk
    lines = ["| pass | measured: us a row | bytes of an answer | ms for a sum | hours of computing | hours of reading | minutes of the tree |", "|---|---|---|---|---|---|---|"]
    total = 0.0
    for name, cost in costs.items():
        work, tree, _ = simulated(args.rows, args.workers, args.chunk, cost, rng, args.mbit, 0.2, 1e-4)
        read = args.rows * reading / args.workers
        total += max(work, read) + tree
        lines.append(
            f"| {NAMES[name]} | {1e6 * cost[0]:.2f} | {cost[1]:,} | {1e3 * cost[2]:.1f} | {work / 3600:.2f} | {read / 3600:.2f} | {tree / 60:.2f} |"
        )
    depth = int(np.ceil(np.log2(args.workers)))
    lines.append("")
    lines.append(
        f"{args.rows:.0e} rows of {args.columns} columns, {args.latents} latents, {args.workers} workers of one core, chunks of {args.chunk:.0e} rows, "
        f"a tree of {depth} levels at {args.mbit:.0f} Mbit/s, reading at {args.disk:.0f} MB/s a worker: "
        f"**{total / 3600:.1f} hours** with reading and computing side by side."
    )
    text = "\n".join(lines)
    print(text)
    if args.write:
        path = pathlib.Path(args.write)
        page = path.read_text()
        page = re.sub(r"(<!-- plan -->\n).*?(<!-- end -->)", lambda m: m[1] + text + "\n" + m[2], page, flags=re.S)
        path.write_text(page)


if __name__ == "__main__":
    main()
