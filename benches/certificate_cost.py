"""What certificates cost: `decompose .. --out` against the same command without.

    cargo build --release && python3 benches/certificate_cost.py [PROGRAM] [--runs N] [--write]

Processor time of whole commands with one thread, the two interleaved, the least of N runs each; tensors of known models with 1% noise, or
none. The bar: the certificate costs at most half of the fit or 50 ms, whichever is larger. The least of what remains above zero counts:
writing factors and the report is part of it. `--write` puts the table between its two marks in BENCHMARKS.md. Needs numpy.
"""
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
MARKS = "<!-- certificate_cost.py -->", "<!-- end of certificate_cost.py -->"
# Model, sizes, rank or ranks, noise.
CASES = [
    ("cp", [10, 10, 10], 3, 0.0), ("cp", [40, 40, 40], 5, 0.0), ("cp", [40, 40, 40], 5, 0.01), ("cp", [100, 100, 100], 10, 0.01),
    ("cp", [200, 200, 200], 10, 0.01), ("cp", [300, 300, 300], 5, 0.01), ("cp", [2000, 20, 5], 5, 0.01), ("cp", [14, 14, 14, 14], 4, 0.01),
    ("ring", [20, 20, 20], 3, 0.0), ("ring", [12] * 4, 3, 0.0), ("ring", [6] * 6, 2, 0.0), ("ring", [30, 25, 20, 6], 2, 0.01),
]


def tensor(model, sizes, rank, noise, rng):
    order = len(sizes)
    letters = "abcdefgh"[:order]
    if model == "cp":
        parts = [rng.normal(size=(n, rank)) for n in sizes]
        t = np.einsum(",".join(c + "r" for c in letters) + "->" + letters, *parts, optimize=True)
    elif model == "ring":
        t = rng.normal(size=(rank, sizes[0], rank))
        for n in sizes[1:]:
            t = np.tensordot(t, rng.normal(size=(rank, n, rank)), 1)
        t = np.trace(t, axis1=0, axis2=order + 1)
    else:
        t = rng.normal(size=(rank,) * order)
        for n in sizes:
            t = np.tensordot(t, rng.normal(size=(rank, n)), (0, 0))
    return t + noise * np.linalg.norm(t) / t.size ** 0.5 * rng.normal(size=t.shape)


def seconds(program, line, folder):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([program, *line, "--threads", "1"], cwd=folder, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode in (0, 3), done.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def row(program, case, runs, folder):
    model, sizes, rank, noise = case
    np.save(folder / "t.npy", tensor(model, sizes, rank, noise, np.random.default_rng(sum(sizes))))
    line = ["decompose", model, "t.npy", "--rank", str(rank)]
    plain, full = [], []
    for _ in range(runs):
        plain.append(seconds(program, line, folder))
        full.append(seconds(program, line + ["--out", "f.npz"], folder))
    path = folder / "f.certificate.json"
    kind = json.loads(path.read_text())["claims"][0]["kind"] if path.exists() else "none"
    path.unlink(missing_ok=True)
    fit, cost = min(plain), min(full) - min(plain)
    holds = "yes" if kind != "none" and cost <= max(0.5 * fit, 0.05) else "**no**"
    shape = " x ".join(map(str, sizes)) if len(set(sizes)) > 1 else "%d^%d" % (sizes[0], len(sizes))
    words = "exact" if noise == 0 else "1% noise"
    return "| %s %s, rank %d, %s | %.3f | %.3f | %.2f | %s | %s |" % (model, shape, rank, words, fit, min(full), min(full) / fit, kind, holds)


def main():
    names = [a for k, a in enumerate(sys.argv[1:], 1) if not a.startswith("--") and sys.argv[k - 1] != "--runs"]
    program = os.path.abspath(names[0] if names else ROOT / "target/release/wickring")
    runs = int(sys.argv[sys.argv.index("--runs") + 1]) if "--runs" in sys.argv else 3
    lines = ["", "%s, %d runs, %s, %d processors shared with other work; processor seconds." % (
        datetime.date.today(), runs, platform.machine(), os.cpu_count()), "",
        "| tensor | fit alone | with `--out` | ratio | claim | at most half of the fit or 50 ms |", "|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        for case in CASES:
            lines.append(row(program, case, runs, Path(name)))
            print(lines[-1], flush=True)
    if "--write" in sys.argv:
        path = ROOT / "BENCHMARKS.md"
        text = path.read_text(encoding="utf-8")
        before, rest = text.split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        path.write_text(before + MARKS[0] + "\n".join(lines) + "\n\n" + MARKS[1] + after, encoding="utf-8")


if __name__ == "__main__":
    main()
