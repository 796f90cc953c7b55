"""Exact verdicts, certificates, and the small independent checker."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from . import _native
from ._check import tensor as as_tensor
from ._native import Poly

__all__ = ["Report", "check", "identity", "verify"]


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
