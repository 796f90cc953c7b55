"""Exact verdicts, certificates, and the small independent checker."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._check import tensor as as_tensor
from ._native import Poly

__all__ = ["Proof", "Report", "Zeros", "check", "identity", "prove", "solve", "verify"]


@dataclass(frozen=True)
class Report:
    """Findings, one a claim; true only when every claim holds."""

    ok: bool
    claims: list[dict[str, Any]]
    certificate: str | None = None
    producer: str | None = None

    def __bool__(self) -> bool:
        return self.ok

    def _repr_html_(self) -> str:
        import html

        names = list(self.claims[0]) if self.claims else []
        head = "".join(f"<th>{html.escape(n)}</th>" for n in names)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(c[n]))}</td>" for n in names) + "</tr>" for c in self.claims
        )
        return f"<table class='wickring'><tr>{head}</tr>{rows}</table>"


@dataclass(frozen=True)
class Proof:
    """Theorems that the checker has accepted, and what could not be proved, with the reasons."""

    proved: list[str]
    refused: list[str]
    certificate: str | None = None

    def __bool__(self) -> bool:
        return bool(self.proved)


@dataclass(frozen=True)
class Zeros(Proof):
    """Zeros of a system: one row each in `points`, with the radius of the ball that holds exactly one."""

    variables: tuple[str, ...] = ()
    points: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    radii: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


def prove(model: Any, tensor: Any = None, *, max_steps: int | None = None) -> Proof:
    """Theorems about a `CP` or a `Ring` and its tensor, which a `Fit` brings along.

    An exact decomposition exists near the printed numbers, or they are near a strict local minimum; the border rank of the
    tensor is at least so much. Floats stand for the rationals that they are. `check` replays `Proof.certificate`.
    """
    if hasattr(model, "evidence"):
        tensor = model.data if tensor is None else tensor
        model = model.model
    if tensor is None:
        raise TypeError("prove: a tensor is needed")
    parts = {str(k): as_tensor(a, str(k)) for k, a in model.arrays().items()}
    dense = as_tensor(tensor, "tensor")
    weights = parts.pop("weights", None)
    if weights is not None and all(k.startswith("factor_") for k in parts):
        raw = _native.prove_sum(weights.tolist(), list(parts.values()), dense, max_steps)
    elif parts and all(k.startswith("core_") for k in parts):
        raw = _native.prove_cores(list(parts.values()), dense, max_steps)
    else:
        raise TypeError("prove: theorems are about CP and Ring")
    return Proof(raw["proved"], raw["refused"], raw["certificate"])


def solve(equations: Sequence[str | Poly], starts: Any = None, *, max_steps: int | None = None) -> Zeros:
    """Simple real zeros of as many polynomials as variables, each proved to be the only one in a small ball.

    `starts` has a row for each start of Newton's method, the variables in the order of their first appearance; by default
    64 normal numbers each, the same ones at every call. That there are no other zeros is not said.
    """
    texts = [str(e) for e in equations]
    if starts is None:
        starts = np.random.default_rng(0).normal(scale=2.0, size=(64, len(texts)))
    rows = np.atleast_2d(np.asarray(starts, dtype=np.float64))
    raw = _native.prove_roots(texts, rows.tolist(), max_steps)
    points = np.asarray(raw["points"], dtype=np.float64).reshape(-1, len(texts))
    radii = np.asarray(raw["radii"], dtype=np.float64)
    names = tuple(raw["variables"])
    return Zeros(raw["proved"], raw["refused"], raw["certificate"], names, points, radii)


def verify(model: Any, tensor: Any = None, *, field: str = "auto") -> Report:
    """Is a factorisation exactly the tensor that it claims to be?

    `model` is a file of schemes or factors (.json, .m, .mpl, .exp, .txt, .npz), a model such as `CP` or `Ring`, a `Fit`,
    or named arrays. `tensor` is "matmul:N,M,P", "polymul:A,B" or an array; by default what the file says. `field`: auto,
    Z, Q, Qi, F2, Fp:P or laurent. Floats stand for the rationals that they are.
    """
    name = tensor if isinstance(tensor, str) else None
    dense = None if tensor is None or name is not None else as_tensor(tensor, "tensor")
    if isinstance(model, (str, os.PathLike)):
        raw = _native.verify(os.fspath(model), [], name, dense, field)
    else:
        if hasattr(model, "evidence"):
            model = model.model
        parts = model if isinstance(model, dict) else model.arrays()
        named = [(str(k), as_tensor(a, str(k))) for k, a in parts.items()]
        raw = _native.verify(None, named, name, dense, field)
    return Report(raw["ok"], raw["claims"], raw["certificate"])


def check(certificate: str | os.PathLike[str], *, max_bytes: int | None = None, max_steps: int | None = None) -> Report:
    """Replays a certificate, given as text or as a file, with a checker that trusts nothing else."""
    text = os.fspath(certificate)
    if not text.lstrip().startswith("{"):
        with open(text, encoding="utf-8") as f:
            text = f.read()
    raw = _native.check(text, max_bytes, max_steps)
    return Report(raw["ok"], raw["claims"], text, raw["producer"])


def identity(left: str | Poly, right: str | Poly) -> str:
    """A certificate that claims two expressions to be equal; `check` decides.

    Texts stand as they are written, so that the checker expands them itself; a `Poly` is expanded already, and of two equal
    ones there is nothing to check.
    """
    return _native.identity_certificate(str(left), str(right))
