"""Decompositions of arrays."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._check import complete, tensor, vector
from ._fit import Fit
from ._models import CP, Parafac2, Ring, SymmetricCP, Train, Tucker
from ._progress import Callback, Progress, watching
from .errors import InvalidInput, NotConvergedWarning

__all__ = ["cp", "parafac2", "ring", "symmetric", "train", "tucker"]

M = TypeVar("M")

#: Greatest number of components that `rank="auto"` tries.
AUTO_LIMIT = 12


#: Entries up to which sparse input is expanded, where every option and method applies.
DENSE_LIMIT = 1 << 22

Sparse = tuple[NDArray[np.int64], NDArray[np.float64], tuple[int, ...]]


def _sparse(x: Any) -> Sparse | None:
    """Coordinates (a row for each value), values and shape of a triple of such, a scipy.sparse array, a pyttb sptensor or a
    sparse.COO; `None` for anything else."""
    if isinstance(x, tuple) and len(x) == 3:
        coordinates, values, shape = x
        coordinates = np.asarray(coordinates)
        if coordinates.shape[:1] == (len(shape),) and coordinates.shape != (len(values), len(shape)):
            coordinates = coordinates.T
    elif hasattr(x, "subs") and hasattr(x, "vals"):
        coordinates, values, shape = x.subs, np.asarray(x.vals).reshape(-1), x.shape
    elif hasattr(x, "tocoo"):
        x = x.tocoo()
        coordinates, values, shape = np.stack([x.row, x.col], axis=1), x.data, x.shape
    elif hasattr(x, "coords") and hasattr(x, "fill_value") and hasattr(x, "nnz"):
        coordinates, values, shape = np.asarray(x.coords).T, x.data, x.shape
    else:
        return None
    coordinates = np.ascontiguousarray(coordinates)
    if coordinates.dtype.kind not in "iu":
        raise TypeError(f"x: whole numbers are needed for coordinates, got dtype {coordinates.dtype}")
    return coordinates.astype(np.int64, copy=False), vector(values, "values"), tuple(int(n) for n in shape)


def _data(x: Any, complex_too: bool = True) -> Any:
    """An array of any kind; sparse ones become dense."""
    triple = _sparse(x)
    if triple is not None:
        coordinates, values, shape = triple
        if math.prod(shape) > DENSE_LIMIT:
            raise InvalidInput(
                f"x: a sparse tensor of shape {shape} is too large to expand; only cp with one rank keeps it sparse",
                op="cp",
                requirement="a tensor that can be expanded",
            )
        dense = np.zeros(shape, order="F")
        np.add.at(dense, tuple(coordinates.T), values)
        x = dense
    elif type(x).__module__.startswith("pyttb"):
        x = x.data
    return tensor(x, complex_too=complex_too)


def _options(starts: int | None, max_iter: int | None, tol: float | None) -> dict[str, Any]:
    return {"starts": starts, "max_iter": max_iter, "tol": tol}


def _how(random_state: int, progress: Callback | None, timeout: float | None) -> dict[str, Any]:
    return {"seed": int(random_state), "progress": progress, "timeout": timeout}


def _fit(model: M, raw: dict[str, Any], data: Any, strict: bool) -> Fit[M]:
    fit = Fit(model, raw["status"], raw["evidence"], raw["history"], raw["work"], raw.get("ranks"), data)
    if strict:
        fit.converged()
    elif fit.status != "converged":
        failing = [c["label"] for c in fit.evidence["checks"] if not c["holds"]]
        why = f": {failing[0]}" if failing else ""
        text = f"{fit.status} at relative residual {fit.rel_residual:.3e}{why}"
        warnings.warn(text, NotConvergedWarning, stacklevel=3)
    return fit


def _ranks(rank: int | str | tuple[int, int] | range, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Lowest and highest rank, and how many in a row without credit end the search."""
    never = 2**31
    if isinstance(rank, str):
        if rank != "auto":
            raise ValueError(f"rank: a number, a range or 'auto', got {rank!r}")
        most = math.prod(shape) // max(max(shape, default=1), 1)
        return 1, max(1, min(AUTO_LIMIT, most)), 2
    if isinstance(rank, range):
        return rank.start, rank.stop - 1, never
    if isinstance(rank, tuple):
        return int(rank[0]), int(rank[1]), never
    return int(rank), int(rank), never


def cp(
    x: Any,
    rank: int | str | tuple[int, int] | range = "auto",
    *,
    nonneg: bool = False,
    constraints: Mapping[int, Any] | None = None,
    missing: str = "refuse",
    method: str = "auto",
    starts: int | None = None,
    max_iter: int | None = None,
    tol: float | None = None,
    random_state: int = 0,
    progress: Progress = None,
    timeout: float | None = None,
    strict: bool = False,
) -> Fit[CP]:
    """Canonical polyadic decomposition of a real or complex array of any order.

    `rank` is a number, a range of which the best supported is chosen, or "auto". `missing="mask"` treats entries that
    are NaN as not measured. `method`: auto, als, nls, algebraic. A fit that did not pass its tests warns, or with
    `strict` raises `NotConverged`. `progress` is a callback or `True`; `timeout` ends the work after that many seconds
    with the best model so far. `constraints` gives a mode one constraint or a list of them, for one rank: "nonneg",
    "unimodal", "orthonormal", "smooth:COST", "l1:COST", or an array, the factor of that mode, known up to the lengths of its
    columns, in whose order components then stand. A large sparse `x` (coordinates, values and shape; scipy.sparse, pyttb or sparse.COO) is never
    expanded.
    """
    if missing not in ("refuse", "mask"):
        raise ValueError(f"missing: 'refuse' or 'mask', got {missing!r}")
    triple = _sparse(x)
    if triple is not None and math.prod(triple[2]) > DENSE_LIMIT:
        return _cp_sparse(triple, rank, nonneg, method, (starts, max_iter, tol), (random_state, progress, timeout), strict)
    t = _data(x)
    if missing == "refuse":
        complete("cp", t)
    masked = missing == "mask" and not np.isfinite(t).all()
    ranks, options = _ranks(rank, t.shape), _options(starts, max_iter, tol)
    asked = _constraints(constraints)
    if asked and (nonneg or method != "auto" or ranks[0] != ranks[1] or t.dtype.kind == "c"):
        raise ValueError("constraints: for real arrays, one rank, without nonneg and method")
    with watching(progress) as see:
        how = _how(random_state, see, timeout)
        if asked:
            raw = _native.cp_constrained(t, ranks[0], masked, asked, options, how)
        elif t.dtype.kind == "c":
            if nonneg or masked:
                raise ValueError("nonnegative factors and missing entries are for real arrays")
            raw = _native.cp_complex(t, ranks, method, options, how)
        else:
            raw = _native.cp(t, ranks, (nonneg, masked), method, options, how)
    return _fit(CP(raw["weights"], raw["factors"]), raw, t, strict)


def _constraints(given: Mapping[int, Any] | None) -> list[tuple[int, str, float | None, Any]]:
    """Mode, word, cost and known factor of every constraint."""
    out: list[tuple[int, str, float | None, Any]] = []
    for mode, several in (given or {}).items():
        for one in several if isinstance(several, (list, tuple)) else [several]:
            if isinstance(one, str):
                word, _, cost = one.partition(":")
                out.append((int(mode), word, float(cost) if cost else None, None))
            else:
                out.append((int(mode), "fixed", None, tensor(one, complex_too=False)))
    return out


def parafac2(
    slices: Any,
    rank: int,
    *,
    nonneg: bool = False,
    missing: str = "refuse",
    starts: int | None = None,
    max_iter: int | None = None,
    tol: float | None = None,
    random_state: int = 0,
    progress: Progress = None,
    timeout: float | None = None,
    strict: bool = False,
) -> Fit[Parafac2]:
    """PARAFAC2 of matrices with the same number of columns, a list of them or an array whose first axis is slices.

    `nonneg` asks for nonnegative loadings of slices. `missing="mask"` treats entries that are NaN as not measured. Everything
    else as in `cp`.
    """
    if missing not in ("refuse", "mask"):
        raise ValueError(f"missing: 'refuse' or 'mask', got {missing!r}")
    parts = [_data(x, complex_too=False) for x in slices]
    if missing == "refuse":
        for k, part in enumerate(parts):
            complete("parafac2", part, f"slice {k}, x")
    masked = missing == "mask" and not all(np.isfinite(x).all() for x in parts)
    with watching(progress) as see:
        how = _how(random_state, see, timeout)
        raw = _native.parafac2(parts, int(rank), (nonneg, masked), _options(starts, max_iter, tol), how)
    return _fit(Parafac2(raw["bases"], raw["core"], raw["shared"], raw["loadings"]), raw, None, strict)


def _cp_sparse(
    triple: Sparse,
    rank: Any,
    nonneg: bool,
    method: str,
    options: tuple[Any, Any, Any],
    how: tuple[int, Progress, float | None],
    strict: bool,
) -> Fit[CP]:
    """Alternating least squares over the stored entries; nothing of the size of the tensor is formed."""
    if nonneg or method not in ("auto", "als") or not isinstance(rank, (int, np.integer)):
        raise ValueError("a sparse tensor of this size takes one rank, method 'als' and no bounds on its factors")
    coordinates, values, shape = triple
    random_state, progress, timeout = how
    with watching(progress) as see:
        seed = _how(random_state, see, timeout)
        raw = _native.cp_sparse(coordinates, values, list(shape), int(rank), _options(*options), seed)
    return _fit(CP(raw["weights"], raw["factors"]), raw, None, strict)


def ring(
    x: Any,
    ranks: int | Sequence[int] | str = "auto",
    *,
    starts: int | None = None,
    max_iter: int | None = None,
    tol: float | None = None,
    random_state: int = 0,
    progress: Progress = None,
    timeout: float | None = None,
    strict: bool = False,
) -> Fit[Ring]:
    """Tensor ring of a real or complex array; ranks given (one number stands for all) or "auto". Entries that are NaN were
    not measured. Everything else as in `cp`."""
    t = _data(x)
    given = None if isinstance(ranks, str) else [ranks] if isinstance(ranks, int) else [int(r) for r in ranks]
    options = _options(starts, max_iter, tol)
    with watching(progress) as see:
        how = _how(random_state, see, timeout)
        solve = _native.ring_complex if t.dtype.kind == "c" else _native.ring
        raw = solve(t, given, options, how)
    return _fit(Ring(raw["cores"]), raw, t, strict)


def train(x: ArrayLike, *, tol: float = 1e-10, max_rank: int | None = None, strict: bool = False) -> Fit[Train]:
    """Tensor train with a relative error of at most `tol`, by sequential singular value decompositions."""
    t = _data(x, complex_too=False)
    raw = _native.train(t, tol, max_rank)
    return _fit(Train(raw["cores"]), raw, t, strict)


def tucker(
    x: ArrayLike,
    ranks: Sequence[int],
    *,
    max_iter: int | None = None,
    tol: float | None = None,
    strict: bool = False,
) -> Fit[Tucker]:
    """Tucker decomposition of given ranks: truncated singular value decompositions and orthogonal iteration."""
    t = _data(x, complex_too=False)
    raw = _native.tucker(t, [int(r) for r in ranks], _options(None, max_iter, tol))
    return _fit(Tucker(raw["core"], raw["factors"]), raw, t, strict)


def symmetric(
    x: ArrayLike,
    rank: int,
    *,
    method: str = "auto",
    starts: int | None = None,
    max_iter: int | None = None,
    tol: float | None = None,
    random_state: int = 0,
    progress: Progress = None,
    timeout: float | None = None,
    strict: bool = False,
) -> Fit[SymmetricCP]:
    """Symmetric (Waring) decomposition with signed weights. `method`: auto, waring, lbfgs, overcomplete. Everything else as
    in `cp`."""
    t = _data(x, complex_too=False)
    options = _options(starts, max_iter, tol)
    with watching(progress) as see:
        raw = _native.symmetric(t, rank, method, options, _how(random_state, see, timeout))
    return _fit(SymmetricCP(raw["weights"], raw["vectors"], raw["order"]), raw, t, strict)
