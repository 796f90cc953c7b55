"""Anything array-like into the one layout that the library reads: the same memory where it already has it.

Arrays that came over a network may start at any byte; those are copied too. Conversions happen here, in numpy, so that no value is dropped on the way: complex numbers and texts are refused instead of
losing a part."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import NonFinite

__all__ = ["complete", "matrix", "tensor", "vector"]


def _real(x: ArrayLike, name: str) -> NDArray[Any]:
    a = np.asarray(x)
    if a.dtype.kind == "O":
        a = a.astype(np.float64)
    if a.dtype.kind not in "biuf":
        raise TypeError(f"{name}: real numbers are needed, got dtype {a.dtype}")
    return a


def matrix(x: ArrayLike, name: str = "x") -> NDArray[np.float64]:
    """Rows of samples: C order, float64."""
    a = _real(x, name)
    if a.ndim != 2:
        raise ValueError(f"{name}: expected a 2D array (rows are samples), got shape {a.shape}. Reshape your data")
    return np.require(a, np.float64, ["C", "A"])


def vector(x: ArrayLike, name: str = "y") -> NDArray[np.float64]:
    """One number a row."""
    a = _real(x, name)
    if a.ndim != 1:
        raise ValueError(f"{name}: expected a 1D array, got shape {a.shape}")
    return np.require(a, np.float64, ["C", "A"])


def tensor(x: Any, name: str = "x", complex_too: bool = False) -> NDArray[Any]:
    """An array of any order: Fortran order, float64 or, where allowed, complex128."""
    a = np.asarray(x)
    if complex_too and a.dtype.kind == "c":
        return np.require(a, np.complex128, ["F", "A"])
    return np.require(_real(a, name), np.float64, ["F", "A"])


def complete(op: str, t: NDArray[Any], name: str = "x") -> None:
    """Refuses NaN and infinity, with the entry, how many there are, and the way to go on."""
    bad = ~np.isfinite(t)
    if not bad.any():
        return
    first = int(np.flatnonzero(bad.ravel(order="F"))[0])
    place = tuple(int(i) for i in np.unravel_index(first, t.shape, order="F"))
    message = (
        f"{op}: {name}{list(place)} is {t[place]}, as are {int(bad.sum()) - 1} more of {t.size} entries not finite; "
        "entries that were not measured: missing='mask'"
    )
    raise NonFinite(message, op=op, index=first)
