"""Logistic and ridge fixed points against the Python package GCMProject on the same covariances.

    python benches/peers/theory_vs_gcmproject.py PATH_TO_GCMPROJECT [WICKRING]

GCMProject (IdePHICS, GPL-3.0) is not on a package index: clone it and give its folder. It is imported, nothing of
it is copied. Each point is solved by both on one thread, one after the other; seconds are CPU time, the least of
three for ours (whole process, reading of files and spectrum included) and of one for theirs (their eigenvalue
decomposition excluded).
"""
import json
import os
import resource
import subprocess
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import time

import numpy as np

D, P, SEED = 200, 400, 0
POINTS = [(0.5, 1e-1), (1.0, 1e-1), (2.0, 1e-1), (0.5, 1e-2), (1.0, 1e-2), (2.0, 1e-2), (0.5, 1e-3), (1.0, 1e-3), (2.0, 1e-3)]


def main():
    sys.path.insert(0, sys.argv[1])
    binary = sys.argv[2] if len(sys.argv) > 2 else "target/release/wickring"
    from state_evolution.algorithms.state_evolution import StateEvolution
    from state_evolution.data_models.custom import Custom
    from state_evolution.models.logistic_regression import LogisticRegression

    rng = np.random.default_rng(SEED)
    weights = rng.normal(size=(P, D))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    theta = rng.normal(size=D)
    omega = 2 / np.pi * np.arcsin(np.clip(weights @ weights.T, -1, 1))
    phi = np.sqrt(2 / np.pi) * weights
    folder = tempfile.mkdtemp()
    np.save(f"{folder}/omega.npy", omega)
    np.save(f"{folder}/phi.npy", phi)
    np.save(f"{folder}/theta.npy", theta)
    model = Custom(teacher_teacher_cov=np.eye(D), student_student_cov=omega, teacher_student_cov=phi.T, teacher_weights=theta)
    print("| alpha | lambda | GCMProject s | ours s | ratio | difference of the errors |")
    print("|---|---|---|---|---|---|")
    ratios = []
    for alpha, lamb in POINTS:
        task = LogisticRegression(sample_complexity=alpha, regularisation=lamb, data_model=model)
        start = time.process_time()
        evolution = StateEvolution(model=task, initialisation="uninformed", tolerance=1e-7, max_steps=1000)
        evolution.iterate()
        theirs = time.process_time() - start
        error = evolution.get_info()["test_error"]
        best, point = float("inf"), None
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [binary, "theory", "full-batch", "--loss", "logistic", "--omega", f"{folder}/omega.npy", "--phi", f"{folder}/phi.npy"]
            command += ["--teacher", f"{folder}/theta.npy", "--alpha", str(alpha), "--lambda", str(lamb), "--threads", "1", "--json"]
            out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            if spent < best:
                best, point = spent, json.loads(out)["points"][0]
        ratios.append(theirs / best)
        print(f"| {alpha} | {lamb} | {theirs:.2f} | {best:.3f} | {theirs / best:.0f} | {abs(error - point['error']):.1e} |", flush=True)
    print(f"ratio: least {min(ratios):.0f}, median {np.median(ratios):.0f}")


main()
