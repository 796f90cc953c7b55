import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import wickring
from wickring import CP, Ring, errors

rng = np.random.default_rng(0)
FACTORS = [rng.normal(size=(n, 2)) for n in (4, 5, 6)]
T = np.einsum("ir,jr,kr->ijk", *FACTORS)
FORMS = {
    "C": np.ascontiguousarray(T),
    "F": np.asfortranarray(T),
    "strided": np.repeat(T, 2, axis=1)[:, ::2],
    "reversed": T[::-1, ::-1].copy()[::-1, ::-1],
    "swapped": T.astype(">f8"),
    "list": T.tolist(),
    "object": T.astype(object),
    "readonly": T.copy(),
}
FORMS["readonly"].flags.writeable = False
FORMS["misaligned"] = np.ndarray(T.shape, T.dtype, bytearray(b"x" + T.tobytes()), offset=1)
assert not FORMS["misaligned"].flags.aligned


@pytest.mark.parametrize("form", FORMS)
def test_every_order_and_type_gives_the_same_bits(form: str) -> None:
    fit = wickring.cp(FORMS[form], 2)
    assert fit.status == "converged"
    np.testing.assert_array_equal(fit.to_dense(), wickring.cp(T, 2).to_dense())
    np.testing.assert_allclose(fit.to_dense(), T, atol=1e-10)


@pytest.mark.parametrize("dtype", ["f4", "i2", "u1", "?"])
def test_other_numbers(dtype: str) -> None:
    t = (np.arange(24).reshape(2, 3, 4) % 5).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        a, b = wickring.cp(t, 1), wickring.cp(t.astype(float), 1)
    np.testing.assert_array_equal(a.to_dense(), b.to_dense())


def test_complex_is_not_halved() -> None:
    t = T + 1j * np.einsum("ir,jr,kr->ijk", *[f[:, ::-1] + 1 for f in FACTORS])
    fit = wickring.cp(t, 4)
    np.testing.assert_allclose(fit.to_dense(), t, atol=1e-8)
    with pytest.raises(TypeError, match="real"):
        wickring.symmetric(t, 2)


def test_the_callers_memory_is_not_touched() -> None:
    t = np.asfortranarray(T)
    before = t.copy()
    wickring.cp(t, 2)
    np.testing.assert_array_equal(t, before)


def test_rank_is_found() -> None:
    fit = wickring.cp(T)
    assert fit.model.rank == 2 and fit.ranks is not None and fit.ranks["rows"][fit.ranks["chosen"]]["rank"] == 2


def test_missing_entries() -> None:
    t = T.copy()
    t[1, 2, 3] = np.nan
    with pytest.raises(errors.NonFinite, match=r"x\[1, 2, 3\] is nan, .* missing='mask'"):
        wickring.cp(t, 2)
    fit = wickring.cp(t, 2, missing="mask")
    np.testing.assert_allclose(fit.to_dense(), T, atol=1e-6)


def test_sparse_tensors_are_never_expanded() -> None:
    r = np.random.default_rng(5)
    shape, rank = (30_000, 20_000, 10_000), 2
    blocks = [[np.sort(r.choice(n, 12, replace=False)) for n in shape] for _ in range(rank)]
    values = [r.normal(size=(12, 3)) for _ in range(rank)]
    where = [np.stack(np.meshgrid(*b, indexing="ij"), -1).reshape(-1, 3) for b in blocks]
    what = [np.einsum("i,j,k->ijk", *v.T).reshape(-1) for v in values]
    coordinates, entries = np.concatenate(where), np.concatenate(what)
    order = r.permutation(len(entries))
    fit = wickring.cp((coordinates[order], entries[order], shape), rank, random_state=1)
    assert fit.status == "converged" and fit.rel_residual < 1e-6
    weights, factors = fit.model
    found = np.einsum("r,nr,nr,nr->n", weights, *[f[c] for f, c in zip(factors, coordinates.T)])
    np.testing.assert_allclose(found, entries, atol=1e-5)
    with pytest.raises(ValueError, match="sparse"):
        wickring.cp((coordinates, entries, shape), "auto")
    with pytest.raises(ValueError, match="inside"):
        wickring.cp((coordinates, entries, (30_000, 20_000, 100)), 2)


def test_small_sparse_input_is_that_of_its_array() -> None:
    t = np.where(np.abs(T) > 0.3, T, 0.0)
    where = np.argwhere(t)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        a, b = wickring.cp(t, 2), wickring.cp((where, t[tuple(where.T)], t.shape), 2)
    np.testing.assert_array_equal(a.to_dense(), b.to_dense())


def test_nonnegative() -> None:
    factors = [abs(f) for f in FACTORS]
    t = np.einsum("ir,jr,kr->ijk", *factors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = wickring.cp(t, 2, nonneg=True)
    assert all((f >= 0).all() for f in fit.model.factors) and fit.rel_residual < 1e-3


def test_a_fit_that_failed_warns_or_raises() -> None:
    noise = np.random.default_rng(1).normal(size=(5, 5, 5))
    with pytest.warns(errors.NotConvergedWarning):
        fit = wickring.cp(noise, 1, tol=1e-9)
    assert fit.status != "converged"
    with pytest.raises(errors.NotConverged) as e:
        wickring.cp(noise, 1, tol=1e-9, strict=True)
    assert e.value.rel_residual > 0.1 and isinstance(e.value, RuntimeError)


def test_evidence_and_pictures() -> None:
    fit = wickring.cp(T, 2)
    assert fit.evidence["rel_residual"] < 1e-10
    assert all(c["role"] and "." in c["key"] for c in fit.evidence["checks"])
    assert "converged" in fit._repr_html_()
    again = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(again.to_dense(), fit.to_dense())


def test_ring_train_tucker() -> None:
    g = [rng.normal(size=s) for s in ((2, 7, 2), (2, 8, 2), (2, 7, 2))]
    t = Ring(g).to_dense()
    np.testing.assert_allclose(t, np.einsum("aib,bjc,cka->ijk", *g), atol=1e-12)
    fit = wickring.ring(t, 2)
    assert fit.model.ranks == (2, 2, 2)
    np.testing.assert_allclose(fit.to_dense(), t, atol=1e-7)
    np.testing.assert_allclose(wickring.train(T).to_dense(), T, atol=1e-9)
    np.testing.assert_allclose(wickring.tucker(T, (2, 2, 2)).to_dense(), T, atol=1e-9)


def test_symmetric() -> None:
    v = rng.normal(size=(4, 3))
    t = np.einsum("r,ir,jr,kr->ijk", [1.0, -2.0, 0.5], v, v, v)
    fit = wickring.symmetric(t, 3)
    assert fit.status == "converged" and fit.model.order == 3
    np.testing.assert_allclose(fit.to_dense(), t, atol=1e-9)
    assert wickring.check(fit.certificate())


def test_models_are_saved_and_loaded_as_the_command_line_does(tmp_path: Path) -> None:
    path = tmp_path / "fit.npz"
    fits = [wickring.cp(T, 2), wickring.cp(T * 1j, 2), wickring.tucker(T, (2, 2, 2)), wickring.train(T, tol=0.0),
            wickring.ring(T, (2, 2, 2)), wickring.parafac2(T, 2)]
    for fit in fits:
        fit.save(path)
        again = wickring.load(path)
        assert type(again) is type(fit.model)
        for name, a in fit.model.arrays().items():
            np.testing.assert_array_equal(again.arrays()[name], a)
        assert len(repr(fit)) < 400 and fit.status in repr(fit), repr(fit)


def test_models_of_others() -> None:
    model = CP.from_any((None, FACTORS))
    np.testing.assert_allclose(model.to_dense(), T, atol=1e-12)
    weights, factors = model
    assert len(weights) == 2 and len(factors) == 3


def test_errors_carry_fields_and_pickle() -> None:
    t = T.copy()
    t[0, 1, 0] = np.inf
    with pytest.raises(errors.NonFinite) as e:
        wickring.cp(t, 2)
    assert e.value.index == 4 and isinstance(e.value, ValueError)
    again = pickle.loads(pickle.dumps(e.value))
    assert again.fields == e.value.fields and str(again) == str(e.value)


HARD = np.random.default_rng(3).normal(size=(14, 14, 14))


def hard(**kw: object) -> object:
    """Work of minutes when nobody stops it."""
    return wickring.cp(HARD, 40, starts=10_000, max_iter=1_000_000, tol=1e-14, **kw)  # type: ignore[arg-type]


def test_ctrl_c() -> None:
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        hard()
    assert time.monotonic() - begun < 20


def test_false_from_the_callback_stops() -> None:
    calls: list[str] = []

    def see(stage: str, done: int, total: int | None, figure: float | None) -> bool:
        calls.append(stage)
        return len(calls) < 4

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert hard(progress=see).status == "stopped"  # type: ignore[attr-defined]
    except errors.Stopped:
        pass
    assert calls


def test_an_exception_of_the_callback_comes_out() -> None:
    def see(*_: object) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        hard(progress=see)


def test_timeout_and_other_threads_run_on() -> None:
    ticks = []
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.01):
            ticks.append(1)

    other = threading.Thread(target=tick)
    other.start()
    begun = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            hard(timeout=1.0)
    except errors.Stopped:
        pass
    done.set()
    other.join()
    assert time.monotonic() - begun < 20 and len(ticks) > 20


def test_import_is_quick() -> None:
    code = "import time; t = time.perf_counter(); import numpy; u = time.perf_counter(); import wickring; " \
        "print(time.perf_counter() - u)"
    out = min(float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout) for _ in range(3))
    assert out < 0.3


def test_constraints_hold_in_their_modes():
    rng = np.random.default_rng(5)
    hills = np.exp(-((np.arange(12)[:, None] - [3, 8]) ** 2) / 6)
    t = np.einsum("ir,jr,kr->ijk", hills, rng.random((7, 2)), rng.normal(size=(5, 2)))
    fit = wickring.cp(t, 2, constraints={0: ["unimodal", "smooth:1e-6"], 1: "nonneg"}, strict=True)
    assert min(f.min() for f in fit.model.factors[:2]) >= 0
    assert np.abs(fit.to_dense() - t).max() < 1e-3 * np.abs(t).max()
    known = wickring.cp(t, 2, constraints={0: hills}, strict=True)
    assert np.allclose(known.model.factors[0], hills / np.linalg.norm(hills, axis=0))
    with pytest.raises(ValueError):
        wickring.cp(t, 2, nonneg=True, constraints={0: "nonneg"})


def test_slices_of_different_heights():
    rng = np.random.default_rng(6)
    core, shared, loadings = rng.normal(size=(2, 2)), rng.normal(size=(6, 2)), 0.5 + rng.random((5, 2))
    bases = [np.linalg.qr(rng.normal(size=(n, 2)))[0] for n in (9, 7, 12, 8, 10)]
    slices = [p @ core @ np.diag(c) @ shared.T for p, c in zip(bases, loadings)]
    fit = wickring.parafac2(slices, 2, nonneg=True, strict=True)
    assert max(np.abs(a - b).max() for a, b in zip(fit.model.to_dense(), slices)) < 1e-5
    slices[1][3, 2] = np.nan
    holed = wickring.parafac2(slices, 2, nonneg=True, missing="mask", strict=True)
    assert np.isfinite(holed.model.slice(1)).all()
