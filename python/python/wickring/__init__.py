"""From samples to polynomials, tensors and proofs.

>>> import numpy as np
>>> from wickring import Poly, cp
>>> p = Poly("(x + y)^4")
>>> p.expect()
Fraction(12, 1)
>>> t = np.einsum("ir,jr,kr->ijk", *np.random.default_rng(0).normal(size=(3, 5, 2)))
>>> cp(t, 2).status
'converged'
"""

from __future__ import annotations

from os import PathLike
from typing import Any

from . import errors
from ._dask import moments
from ._decompose import cp, parafac2, ring, symmetric, train, tucker
from ._fit import Check, Evidence, Fit
from ._models import CP, Parafac2, Ring, SymmetricCP, Train, Tucker, read
from ._native import Model, Moments, Pass, PassSums, Poly, __version__
from ._poly import GroebnerBasis, Root, from_sympy, groebner, roots, symbols
from ._progress import tqdm_progress
from ._verify import Proof, Report, Zeros, check, identity, prove, solve, verify


def load(path: str | PathLike[str]) -> Any:
    """A model from a file: `.npz` of a tensor's model, else the JSON of a learned one."""
    return read(path) if str(path).endswith(".npz") else Model.load(path)


__all__ = [
    "CP",
    "Check",
    "Evidence",
    "Fit",
    "GroebnerBasis",
    "Model",
    "Moments",
    "Parafac2",
    "Pass",
    "PassSums",
    "Poly",
    "Proof",
    "Report",
    "Ring",
    "Root",
    "SymmetricCP",
    "Train",
    "Tucker",
    "Zeros",
    "__version__",
    "check",
    "cp",
    "errors",
    "from_sympy",
    "groebner",
    "identity",
    "load",
    "moments",
    "parafac2",
    "prove",
    "ring",
    "roots",
    "solve",
    "symbols",
    "symmetric",
    "tqdm_progress",
    "train",
    "tucker",
    "verify",
]
