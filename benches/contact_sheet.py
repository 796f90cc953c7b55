"""Every kind of picture of the program on one page, to be looked at: python benches/contact_sheet.py [BINARY] [FOLDER]

Makes small data with the program itself, draws each picture as .svg into the folder (contact-sheet) and writes index.html there, with
the command under each picture. Needs Python's standard library only. Exit 1 when a picture that should be there is not.
"""

import json
import math
import os
import subprocess
import sys
from html import escape

BINARY = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/wickring")
FOLDER = sys.argv[2] if len(sys.argv) > 2 else "contact-sheet"

MODELS = {
    "q.json": {"schema": "wickring/quadratic-map/1", "latent_dim": 2, "output_dim": 8,
               "quadratic": [[[math.cos(a), math.sin(a)], [math.sin(a), math.cos(3 * a)]] for a in range(8)],
               "linear": [[0, 0]] * 8, "constant": [0] * 8},
    "normal.json": {"schema": "wickring/mixture/1", "dim": 4, "components": [{"weight": 1, "mean": [0] * 4}]},
    "clusters.json": {"schema": "wickring/mixture/1", "dim": 2,
                      "components": [{"weight": 0.4, "mean": [4, 0]}, {"weight": 0.6, "mean": [-4, 1]}]},
    "relu.json": {"schema": "wickring/relu-network/1", "input_dim": 4, "constant": 0, "linear": [0] * 4, "neurons": [
        {"coefficient": 1, "weight": [1, 0.5, 0, 0], "activation": "relu"},
        {"coefficient": -2, "weight": [0, 1, 1, 0], "activation": "relu"}]},
    "cubic.json": {"schema": "wickring/two-layer/1", "input_dim": 4, "activation": [0, 0, 0, 1],
                   "weights": [[1, 0.5, 0, 0], [0, 1, 1, 0]]},
}

DATA = """sample q.json -n 3000 --out z.npy
sample normal.json -n 2000 --out x.npy
sample clusters.json -n 1500 --out c.npy
predict relu.json --input x.npy --out y.npy
predict cubic.json --input x.npy --out y3.npy"""

PICTURES = """decompose cp t.tns --rank 1..4
decompose cp t.tns --rank 2 --nonneg
decompose cp small.tns --rank 1
decompose symmetric s.tns --rank 2
decompose orthogonal s4.tns --rank 2
decompose ring t.npy --rank 2 --method als
decompose train t.npy --tol 0.001
decompose tucker t.npy --tol 0.001
decompose parafac2 t.npy --rank 2
decompose exact small.tns --rank 1
learn quadratic z.npy --out q2.json
learn polynomial z.npy --degree 2 --out p2.json
learn mixture c.npy --method em --components 2 --out m2.json
learn relu --inputs x.npy --targets y.npy --out r2.json
learn two-layer --inputs x.npy --targets y3.npy --activation x^3 --neurons 2 --out t2.json
theory online-sgd --preset quick --time 2 --simulate 1 --out o.csv
theory full-batch --preset quick --alpha 0.5,1,2 --out f.csv
experiment quadratic-story --latents 2 --maps 2 --samples 500,2000 --dimensions 2,3 --outputs 6,8 --perturbations 0.1,1 --out e.csv
experiment relu-story --inputs 4 --networks 1 --samples 500,2000 --out e2.csv
experiment two-layer --dims 8,10 --ratios 0.3,0.6 --networks 1 --out e3.csv"""


def run(line, *more):
    return subprocess.run([BINARY, *line.split(), *more], cwd=FOLDER, capture_output=True, text=True)


def tensor(name, dims, entry):
    indices = [[]]
    for n in dims:
        indices = [i + [k] for i in indices for k in range(n)]
    with open(os.path.join(FOLDER, name), "w") as file:
        for i in indices:
            file.write(" ".join(str(k + 1) for k in i) + f" {entry(*i)!r}\n")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for name, model in MODELS.items():
        with open(os.path.join(FOLDER, name), "w") as file:
            json.dump(model, file)
    peak = lambda k, centre, width: math.exp(-((k - centre) / width) ** 2)
    tensor("t.tns", (5, 30, 12), lambda i, j, k: (1 + i) * peak(j, 8, 3) * peak(k, 3, 2) + (5 - i) * peak(j, 20, 4) * peak(k, 8, 3)
           + 0.02 * math.sin(37 * i + 11 * j * j + 5 * k))
    tensor("small.tns", (3, 1, 2), lambda i, j, k: (i + 1) * (k + 1.5))
    vectors = [(1.0, 0.2, 0.1), (0.1, -1.0, 0.3)]
    tensor("s.tns", (3, 3, 3), lambda i, j, k: sum(c * v[i] * v[j] * v[k] for c, v in zip((2, 1), vectors)))
    tensor("s4.tns", (2, 2, 2, 2), lambda *i: (3.0 if max(i) == 0 else 0.0) + (2.0 if min(i) == 1 else 0.0))
    for line in [*DATA.splitlines(), "convert t.tns t.npy --force"]:
        done = run(line)
        if done.returncode not in (0, 3):
            print(line, done.stderr)
    missing, cells = 0, []
    for number, line in enumerate(PICTURES.splitlines()):
        name = f"{number:02}.svg"
        done = run(line, "--plot", name)
        path = os.path.join(FOLDER, name)
        if not os.path.exists(path):
            missing += 1
            cells.append(f"<figure><pre>NO PICTURE {escape(done.stderr)}</pre><figcaption>{escape(line)}</figcaption></figure>")
            continue
        cells.append(f'<figure><img src="{name}"><figcaption>{escape(line)}</figcaption></figure>')
    style = "body{columns:3;font:12px sans-serif}figure{break-inside:avoid;margin:0 0 1em}img{width:100%;border:1px solid #ddd}"
    with open(os.path.join(FOLDER, "index.html"), "w") as file:
        file.write(f"<!DOCTYPE html><meta charset='utf-8'><style>{style}</style>" + "\n".join(cells))
    print(f"{len(cells) - missing} pictures, {missing} missing: {FOLDER}/index.html")
    return 1 if missing else 0


sys.exit(main())
