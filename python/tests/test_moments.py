import os
import pickle
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest
import wickring
from wickring import Moments, errors

X = np.random.default_rng(0).normal(size=(10_000, 4)) @ np.random.default_rng(1).normal(size=(4, 4)) + [0, 1, 2, 3]


def whole(third: bool = True) -> Moments:
    m = Moments(4, third)
    m.add(0, X)
    return m


def test_the_figures() -> None:
    m = whole()
    np.testing.assert_allclose(m.mean, X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(m.covariance, np.cov(X.T), rtol=1e-10)
    c = X - X.mean(axis=0)
    n = len(X)
    third = np.einsum("ni,nj,nk->ijk", c, c, c) * n / ((n - 1) * (n - 2))
    assert m.third_cumulants is not None
    np.testing.assert_allclose(m.third_cumulants, third, atol=1e-10)
    assert m.count == len(m) == 10_000 and m.columns == 4 and whole(False).third_cumulants is None


@pytest.mark.parametrize("seed", range(5))
def test_same_bits_for_any_split_and_order(seed: int) -> None:
    r = random.Random(seed)
    cuts = sorted({0, len(X), *(r.randrange(len(X)) for _ in range(seed * 3))})
    parts = []
    for a, b in zip(cuts, cuts[1:]):
        part = Moments(4, True)
        part.add(a, X[a:b] if seed % 2 else np.asfortranarray(X[a:b]))
        parts.append(pickle.loads(pickle.dumps(part)))
    r.shuffle(parts)
    while len(parts) > 1:
        parts.append(parts.pop(r.randrange(len(parts))) + parts.pop(r.randrange(len(parts))))
    assert parts[0] == whole() and parts[0].to_bytes() == whole().to_bytes()


def test_the_order_of_memory_does_not_matter() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2, 9], "b": [3, 4, 9]})
    np.testing.assert_array_equal(wickring.moments(frame).mean, [4, 16 / 3])
    assert wickring.moments(np.asfortranarray(X)) == wickring.moments(X) == wickring.moments(iter([X[:77], X[77:]]))


def test_rows_are_counted_once() -> None:
    m = whole()
    before = m.to_bytes()
    with pytest.raises(errors.InvalidInput, match="before"):
        m.add(9_999, X[:1])
    with pytest.raises(errors.InvalidInput):
        m + m
    with pytest.raises(errors.NonFinite):
        m.add(20_000, [[np.nan] * 4])
    with pytest.raises(errors.ShapeMismatch):
        m.add(20_000, X[:, :3])
    with pytest.raises(errors.ParseError):
        Moments.from_bytes(before[:-1])
    assert m.to_bytes() == before


def test_files_of_the_command_line(tmp_path: Path) -> None:
    whole().save(tmp_path / "ours.bin")
    assert Moments.load(tmp_path / "ours.bin") == whole()
    program = os.environ.get("WICKRING_BIN")
    if not program:
        pytest.skip("WICKRING_BIN does not name the command line")

    def run(*args: object) -> None:
        subprocess.run([program, "moments", *map(str, args)], check=True, cwd=tmp_path, capture_output=True)

    np.save(tmp_path / "a.npy", X[:3333])
    np.save(tmp_path / "b.npy", X[3333:])
    run("add", "a.npy", "--third", "--out", "a.bin")
    part = Moments(4, True)
    part.add(3333, X[3333:])
    part.save(tmp_path / "b.bin")
    run("merge", "b.bin", "a.bin", "--out", "all.bin")
    assert (tmp_path / "all.bin").read_bytes() == whole().to_bytes()
