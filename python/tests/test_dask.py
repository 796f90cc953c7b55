import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wickring

distributed = pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")

X = np.random.default_rng(0).normal(size=(20_000, 5))


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.mark.parametrize("chunks", [1, 2, 5])
def test_same_bytes_on_two_workers(client: Any, chunks: int) -> None:
    x = da.from_array(X, chunks=(len(X) // chunks + 7, 3))
    assert wickring.moments(x, third=True).to_bytes() == wickring.moments(X, third=True).to_bytes()


def test_a_worker_lost_in_the_middle_costs_its_chunk_only(client: Any) -> None:
    import threading

    def lose() -> None:
        address = next(iter(client.scheduler_info()["workers"]))
        client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.close_worker(address))

    x = da.from_array(X, chunks=(1000, 5))
    timer = threading.Timer(0.05, lose)
    timer.start()
    assert wickring.moments(x).to_bytes() == wickring.moments(X).to_bytes()
    timer.join()


def test_unknown_chunks_are_refused(client: Any) -> None:
    x = da.from_array(X, chunks=(1000, 5))
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        wickring.moments(x[x[:, 0] > 0])


def outputs(rows: int) -> np.ndarray:
    """Outputs of a quadratic map of two hidden normal variables."""
    rng = np.random.default_rng(3)
    z, q = rng.normal(size=(rows, 2)), rng.normal(size=(4, 2, 2))
    return np.einsum("ni,aij,nj->na", z, q + q.transpose(0, 2, 1), z)


def bits(model: Any) -> str:
    """The model without the names and digests of the files that it was learned from."""
    file = json.loads(model.model_.to_json())
    file.pop("inputs")
    return json.dumps(file)


@pytest.mark.parametrize("form", ["blocks", "array", "frame", "files", "folder"])
def test_a_map_is_the_same_for_every_way_that_its_rows_come(client: Any, form: str, tmp_path: Path) -> None:
    from wickring.learn import QuadraticMap

    x = outputs(5000)
    learner = QuadraticMap(random_state=0)
    want = bits(learner.fit(x))
    assert learner.converged_ and learner.n_features_in_ == 4
    rows: Any
    if form == "blocks":
        rows = iter([x[:1], x[1:1777], x[1777:]])
    elif form == "array":
        rows = da.from_array(x, chunks=(1234, 3))
    elif form == "frame":
        frame = pytest.importorskip("pandas").DataFrame(x, columns=list("abcd"))
        rows = pytest.importorskip("dask.dataframe").from_pandas(frame, npartitions=3)
    else:
        for k, part in enumerate(np.array_split(x, 3)):
            np.save(tmp_path / f"{k}.npy", part)
        rows = tmp_path if form == "folder" else [tmp_path / f"{k}.npy" for k in range(3)]
    other = QuadraticMap(random_state=0).fit(rows)
    assert bits(other) == want and other.n_features_in_ == 4
    if form == "frame":
        assert list(other.sample(2, as_frame=True).columns) == list("abcd")


@pytest.mark.parametrize("chunks", [(20_000,), (7_001, 9_000, 3_999), (2048,) * 9 + (1568,)])
def test_a_map_learned_in_passes_does_not_depend_on_the_chunks(client: Any, chunks: tuple[int, ...], tmp_path: Path) -> None:
    from wickring.learn import QuadraticMap

    x = outputs(20_000)
    here = QuadraticMap(random_state=0, panel=3000)
    want = bits(here.fit_passes(lambda question: question.of_rows(0, 0, x), 4))
    assert here.converged_ and here.n_features_in_ == 4
    panel = next(c for c in here.certificate_["checks"] if c["key"] == "quadratic.panel-rows")
    assert 2500 < panel["measured"] <= 3000
    there = QuadraticMap(random_state=0, panel=3000).fit(da.from_array(x, chunks=(chunks, 2)))
    assert bits(there) == want
    # The error is that of all rows, not that of the panel.
    truth, seen = np.cov(x, rowvar=False), np.cov(there.sample(400_000, random_state=1), rowvar=False)
    assert np.abs(truth - seen).max() < 0.05 * np.abs(truth).max()


def test_passes_travel_as_text_and_bytes_and_add_up_in_any_order() -> None:
    import pickle

    from wickring.learn import QuadraticMap

    x, seen = outputs(9000), []

    def engine(question: wickring.Pass) -> wickring.PassSums:
        question = pickle.loads(pickle.dumps(question))
        parts = []
        for first in (6000, 0, 3000):
            learned = question.learning_rows(0, first)
            sums = question.of_rows(first, learned, x[first : first + 3000])
            assert pickle.loads(pickle.dumps(sums)) == sums
            parts.append(sums)
        seen.append(question.to_text()[:9])
        return parts[0] + parts[1] + parts[2]

    learner = QuadraticMap(random_state=0, panel=2000).fit_passes(engine, 4)
    assert learner.converged_
    assert [s.split('"')[1][:4] for s in seen] == ["pane", "outp", "thir", "vari"]


def test_engines_that_lose_rows_or_fail_are_noticed() -> None:
    from wickring.learn import QuadraticMap

    x = outputs(9000)

    def forgetful(question: wickring.Pass) -> wickring.PassSums:
        whole = "panel" in question.to_text()[:9]
        return question.of_rows(0, 0, x if whole else x[:8000]) if whole else question.of_rows(1000, 800, x[1000:])

    with pytest.raises(wickring.errors.InvalidInput, match="same rows"):
        QuadraticMap(panel=2000).fit_passes(forgetful, 4)

    def broken(question: wickring.Pass) -> wickring.PassSums:
        raise OSError("a worker is gone")

    with pytest.raises(OSError, match="worker"):
        QuadraticMap(panel=2000).fit_passes(broken, 4)
    with pytest.raises(TypeError):
        QuadraticMap(panel=2000).fit_passes(lambda question: 3, 4)  # type: ignore[arg-type,return-value]


def test_streamed_rows_that_are_too_few_warn() -> None:
    from wickring.learn import PolynomialMap, QuadraticMap

    for learner in (QuadraticMap(), PolynomialMap()):
        with pytest.warns(UserWarning):
            learner.fit(iter([outputs(7), outputs(9)]))
        assert not learner.converged_ and learner.n_features_in_ == 4
    with pytest.raises(ValueError, match="block"):
        QuadraticMap().fit(iter([]))
    with pytest.raises(ValueError, match="columns"):
        QuadraticMap().fit(iter([outputs(7), outputs(9)[:, :2]]))


MPI = """
import numpy as np, sys, wickring
from mpi4py import MPI
comm = MPI.COMM_WORLD
x = np.load(sys.argv[1], mmap_mode="r")
cuts = np.linspace(0, len(x), comm.size + 1).astype(int)
part = wickring.Moments(x.shape[1], third=True)
part.add(int(cuts[comm.rank]), x[cuts[comm.rank]:cuts[comm.rank + 1]])
total = comm.reduce(part, op=MPI.SUM)
if comm.rank == 0:
    total.save(sys.argv[2])
"""


def under_mpi(ranks: int, program: str, *arguments: Path) -> None:
    """Runs a program on so many processes, where there is an MPI that starts them."""
    pytest.importorskip("mpi4py")
    mpiexec = Path(sys.executable).with_name("mpiexec")
    if not mpiexec.exists():
        pytest.skip("no mpiexec beside this Python")
    start = [str(mpiexec), "-n", str(ranks), sys.executable, "-c"]
    probe = subprocess.run([*start, ""], capture_output=True, timeout=120)
    if probe.returncode:
        pytest.skip(f"mpiexec starts nothing here: {probe.stderr.decode()[-200:]}")
    subprocess.run([*start, program, *map(str, arguments)], check=True, timeout=120)


LEARN = """
import numpy as np, sys
from mpi4py import MPI
from wickring.learn import QuadraticMap
comm = MPI.COMM_WORLD
x = np.load(sys.argv[1], mmap_mode="r")
cuts = np.linspace(0, len(x), comm.size + 1).astype(int)
first, last = (int(c) for c in cuts[comm.rank:comm.rank + 2])
def engine(question):
    mine = question.of_rows(first, question.learning_rows(0, first), x[first:last])
    return comm.allreduce(mine, op=MPI.SUM)
model = QuadraticMap(random_state=0, panel=2000).fit_passes(engine, x.shape[1]).model_.to_json()
assert comm.bcast(model) == model
if comm.rank == 0:
    open(sys.argv[2], "w").write(model)
"""


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_map_is_the_same_under_mpi(ranks: int, tmp_path: Path) -> None:
    from wickring.learn import QuadraticMap

    x, out = outputs(9000), tmp_path / "map.json"
    np.save(tmp_path / "x.npy", x)
    under_mpi(ranks, LEARN, tmp_path / "x.npy", out)
    here = QuadraticMap(random_state=0, panel=2000).fit_passes(lambda question: question.of_rows(0, 0, x), 4)
    there = json.loads(out.read_text())
    there.pop("inputs")
    assert json.dumps(there) == bits(here)


@pytest.mark.parametrize("ranks", [1, 2])
def test_same_bytes_under_mpi(ranks: int, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    under_mpi(ranks, MPI, tmp_path / "x.npy", tmp_path / "out.bin")
    assert wickring.Moments.load(tmp_path / "out.bin") == wickring.moments(X, third=True)
    assert wickring.moments(tmp_path / "x.npy", third=True) == wickring.moments(X, third=True)
