"""Gaussian mixtures by scikit-learn: one request and one answer a line, both JSON."""

import json
import sys
import time
import warnings


def say(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main():
    warnings.filterwarnings("ignore")
    try:
        import numpy as np
        import sklearn
        from sklearn.mixture import GaussianMixture
    except Exception as problem:
        say({"absent": str(problem)})
        return
    say({"version": sklearn.__version__})
    for line in sys.stdin:
        try:
            ask = json.loads(line)
            x = np.load(ask["file"])
            runs, wall, start = 0, time.perf_counter(), time.process_time()
            while runs == 0 or time.perf_counter() - wall < 0.1:
                found = GaussianMixture(ask["components"], n_init=ask["starts"], tol=1e-6, max_iter=1000,
                                        random_state=ask["seed"]).fit(x)
                runs += 1
            seconds = (time.process_time() - start) / runs
            say({"seconds": seconds, "log_likelihood": float(found.score(x))})
        except Exception as problem:
            say({"error": f"{type(problem).__name__}: {problem}"})


main()
