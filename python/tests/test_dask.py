from collections.abc import Iterator
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
