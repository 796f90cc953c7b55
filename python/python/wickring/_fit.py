"""What every decomposition and every learner returns: a model, how the work ended, and what was measured."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Generic, TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._check import tensor
from .errors import InvalidInput, NotConverged

__all__ = ["Check", "Evidence", "Fit"]

M = TypeVar("M")


class Check(TypedDict):
    """One measured quantity beside its bound (infinite: none)."""

    key: str
    label: str
    role: str
    measured: float
    allowed: float
    holds: bool


class Evidence(TypedDict):
    """What was measured about a model, from the input and the model alone."""

    rel_residual: float
    condition: float
    checks: list[Check]


@dataclass(frozen=True, eq=False, repr=False)
class Fit(Generic[M]):
    """A model with how it was obtained and how far to trust it."""

    model: M
    status: str
    evidence: Evidence
    history: list[float]
    work: dict[str, int]
    ranks: dict[str, Any] | None = None
    data: NDArray[Any] | None = field(default=None, repr=False)

    @property
    def rel_residual(self) -> float:
        """`||data - model|| / ||data||`."""
        return self.evidence["rel_residual"]

    def converged(self) -> M:
        """The model, if every test passed; else `NotConverged`."""
        if self.status != "converged":
            message = f"{self.status} at relative residual {self.rel_residual:.3e}"
            raise NotConverged(message, status=self.status, rel_residual=self.rel_residual)
        return self.model

    def check(self, key: str) -> Check | None:
        """The check under `key`."""
        return next((c for c in self.evidence["checks"] if c["key"] == key), None)

    def to_dense(self) -> NDArray[Any]:
        """The model as an array."""
        dense: NDArray[Any] = self.model.to_dense()  # type: ignore[attr-defined]
        return dense

    def certificate(self) -> str:
        """A certificate of the residual, exact arithmetic rounded outward, that `wickring.check` replays."""
        if self.data is None or self.data.dtype.kind == "c" or not np.isfinite(self.data).all():
            requirement = "a certificate needs the data of the fit, real and without gaps"
            raise InvalidInput(f"certificate: {requirement}", op="certificate", requirement=requirement)
        parts: dict[str, Any] = self.model.arrays()  # type: ignore[attr-defined]
        if "core" in parts:
            requirement = "certificates are for sums of rank-one terms, rings and trains"
            raise InvalidInput(f"certificate: {requirement}", op="certificate", requirement=requirement)
        named = [(name, tensor(a, name)) for name, a in parts.items()]
        return _native.residual_certificate(named, tensor(self.data))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "data": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return f"Fit({self.model!r}: {self.status}, relative residual {self.rel_residual:.3e})"

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the model as `.npz`, as the command line does; `wickring.load` reads it back."""
        self.model.save(path)  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        def row(*cells: object) -> str:
            return "<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in cells) + "</tr>"

        lines = [row("status", self.status, "", ""), row("relative residual", f"{self.rel_residual:.3e}", "", "")]
        lines.append(row("condition", f"{self.evidence['condition']:.1e}", "", ""))
        for c in self.evidence["checks"]:
            bound = f"{c['allowed']:.3e}" if np.isfinite(c["allowed"]) else ""
            mark = ("ok" if c["holds"] else "FAILS") if bound else ""
            lines.append(row(c["label"], f"{c['measured']:.3e}", bound, mark))
        head = "<tr><th>evidence</th><th>measured</th><th>at most</th><th></th></tr>"
        name = html.escape(type(self.model).__name__)
        return f"<table class='wickring'><caption>Fit of {name}</caption>{head}{''.join(lines)}</table>"
