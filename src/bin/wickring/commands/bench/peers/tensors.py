"""CP and tensor rings by TensorLy or pyttb: one request and one answer a line, both JSON."""

import json
import sys
import time
import warnings


def say(answer):
    out.write(json.dumps(answer) + "\n")
    out.flush()


# What the packages print is not an answer.
out, sys.stdout = sys.stdout, sys.stderr


def tensorly_cp(t, ask):
    from tensorly.decomposition import parafac
    return parafac(t, ask["rank"], n_iter_max=1000, tol=1e-10, init="random", linesearch=True,
                   random_state=ask["seed"])


def tensorly_ring(t, ask):
    from tensorly.decomposition import tensor_ring_als
    return tensor_ring_als(t, rank=ask["rank"], ls_solve="normal_eq", n_iter_max=200, tol=1e-9,
                           random_state=ask["seed"])


def pyttb_cp(t, ask):
    import pyttb
    np.random.seed(ask["seed"])
    return pyttb.cp_als(t, ask["rank"], init="nvecs", maxiters=1000, stoptol=1e-10, printitn=0)[0]


def main():
    global np
    peer = sys.argv[1]
    warnings.filterwarnings("ignore")
    try:
        import numpy as np
        package = __import__(peer)
        if peer == "tensorly":
            import tensorly.decomposition
    except Exception as problem:
        say({"absent": str(problem)})
        return
    say({"version": package.__version__})
    known = {}
    for line in sys.stdin:
        try:
            ask = json.loads(line)
            if ask["file"] not in known:
                known[ask["file"]] = np.load(ask["file"])
            dense = known[ask["file"]]
            if peer == "pyttb":
                run, t = pyttb_cp, package.tensor(dense)
            else:
                run, t = (tensorly_cp if ask["kind"] == "cp" else tensorly_ring), dense
            runs, wall, start = 0, time.perf_counter(), time.process_time()
            while runs == 0 or time.perf_counter() - wall < 0.1:
                found = run(t, ask)
                runs += 1
            seconds = (time.process_time() - start) / runs
            if peer == "pyttb":
                again = found.full().data
            elif ask["kind"] == "cp":
                again = package.cp_to_tensor(found)
            else:
                again = package.tr_to_tensor(found)
            residual = float(np.linalg.norm(again - dense) / np.linalg.norm(dense))
            say({"seconds": seconds, "residual": residual if np.isfinite(residual) else 1e300})
        except Exception as problem:
            say({"error": f"{type(problem).__name__}: {problem}"})


main()
