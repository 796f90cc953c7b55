"""Models of tensors: plain arrays with a name, and the way back to a dense array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._check import tensor

__all__ = ["CP", "Ring", "SymmetricCP", "Train", "Tucker"]

Array = NDArray[Any]


def _complex(parts: Sequence[Array]) -> bool:
    return any(p.dtype.kind == "c" for p in parts)


def _all(parts: Sequence[Array], name: str) -> list[Array]:
    wanted: Any = np.complex128 if _complex(parts) else np.float64
    return [np.asfortranarray(tensor(p, name, complex_too=True), dtype=wanted) for p in parts]


class _Named:
    """What all models share: arrays with names, files of them, and a line about their size."""

    def arrays(self) -> dict[str, Array]:
        """Under the names that files of the command line use."""
        raise NotImplementedError

    def save(self, path: str | PathLike[str]) -> None:
        """Writes `.npz` under the names that the command line uses; `wickring.load` reads it back."""
        parts: dict[str, Any] = {}
        for name, array in self.arrays().items():
            a = np.asarray(array)
            parts[name] = np.ascontiguousarray(a.real)
            if a.dtype.kind == "c":
                parts[f"{name}_imag"] = np.ascontiguousarray(a.imag)
        np.savez(path, **parts)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {np.asarray(a).shape}" for name, a in self.arrays().items())
        return f"{type(self).__name__}({sizes})"


def read(path: str | PathLike[str]) -> CP | Ring | Tucker | Parafac2:
    """The model in a `.npz` that `save` or the command line wrote."""
    with np.load(path) as file:
        parts = {name: file[name] for name in file.files}
    for name in [n for n in parts if n.endswith("_imag")]:
        whole = name.removesuffix("_imag")
        parts[whole] = parts[whole] + 1j * parts.pop(name)

    def numbered(stem: str) -> list[Array]:
        known = sum(name.startswith(f"{stem}_") for name in parts)
        return [parts[f"{stem}_{k}"] for k in range(known)]

    if "core_0" in parts:
        cores = numbered("core")
        kind = Train if cores[0].shape[0] == cores[-1].shape[2] == 1 else Ring
        return kind(cores)
    if "shared" in parts:
        return Parafac2(numbered("basis"), parts["core"], parts["shared"], parts["loadings"])
    if "core" in parts:
        return Tucker(parts["core"], numbered("factor"))
    if "weights" in parts:
        return CP(parts["weights"], numbered("factor"))
    raise ValueError(f"{path}: expected weights, core, core_0 or shared among {', '.join(parts)}")


@dataclass(frozen=True, eq=False, repr=False)
class CP(_Named):
    """A sum of rank-one tensors, `sum_r weights[r] factors[0][:, r] o factors[1][:, r] o ..`; unpacks as
    `(weights, factors)`, as in TensorLy."""

    weights: Array
    factors: list[Array]

    @classmethod
    def from_any(cls, model: Any) -> CP:
        """From `(weights, factors)`, a TensorLy CPTensor or a pyttb ktensor."""
        if hasattr(model, "factor_matrices"):
            return cls(np.asarray(model.weights), [np.asarray(f) for f in model.factor_matrices])
        weights, factors = model
        factors = [np.asarray(f) for f in factors]
        ones = np.ones(factors[0].shape[1])
        return cls(ones if weights is None else np.asarray(weights), factors)

    @property
    def rank(self) -> int:
        return len(self.weights)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(f.shape[0] for f in self.factors)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.weights, self.factors))

    def to_dense(self) -> Array:
        """The tensor itself."""
        weights, *factors = _all([np.asarray(self.weights), *self.factors], "factors")
        if weights.dtype.kind == "c":
            return _native.cp_dense_complex(list(weights), factors)
        return _native.cp_dense(list(weights), factors)

    def arrays(self) -> dict[str, Array]:
        """Under the names that files of the command line use."""
        return {"weights": np.asarray(self.weights), **{f"factor_{k}": f for k, f in enumerate(self.factors)}}

    def to_tensorly(self) -> Any:
        from tensorly.cp_tensor import CPTensor  # type: ignore[import-not-found,import-untyped,unused-ignore]

        return CPTensor((self.weights, list(self.factors)))

    def to_pyttb(self) -> Any:
        import pyttb  # type: ignore[import-not-found,import-untyped,unused-ignore]

        return pyttb.ktensor([np.asfortranarray(f) for f in self.factors], np.asarray(self.weights))  # type: ignore[attr-defined,unused-ignore]


@dataclass(frozen=True, eq=False, repr=False)
class SymmetricCP(_Named):
    """`sum_r weights[r] v_r o v_r o ..` with `order` copies of each column of `vectors`; weights may be negative."""

    weights: Array
    vectors: Array
    order: int

    @property
    def rank(self) -> int:
        return len(self.weights)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.vectors.shape[0],) * self.order

    def to_cp(self) -> CP:
        return CP(self.weights, [self.vectors] * self.order)

    def to_dense(self) -> Array:
        """The tensor itself."""
        return self.to_cp().to_dense()

    def arrays(self) -> dict[str, Array]:
        """Under the names that files of the command line use."""
        return self.to_cp().arrays()


@dataclass(frozen=True, eq=False, repr=False)
class Ring(_Named):
    """`T[i, j, ..] = Tr(cores[0][:, i, :] cores[1][:, j, :] ..)`, cores of `R x n x R'`."""

    cores: list[Array]

    @property
    def ranks(self) -> tuple[int, ...]:
        return tuple(c.shape[0] for c in self.cores)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(c.shape[1] for c in self.cores)

    def to_dense(self) -> Array:
        """The tensor itself."""
        cores = _all(self.cores, "cores")
        return _native.ring_dense_complex(cores) if _complex(cores) else _native.ring_dense(cores)

    def arrays(self) -> dict[str, Array]:
        """Under the names that files of the command line use."""
        return {f"core_{k}": c for k, c in enumerate(self.cores)}


@dataclass(frozen=True, eq=False, repr=False)
class Train(Ring):
    """A ring whose first and last rank is 1."""


@dataclass(frozen=True, eq=False, repr=False)
class Parafac2(_Named):
    """Slices `bases[k] @ core @ diag(loadings[k]) @ shared.T` with orthonormal columns in every basis."""

    bases: list[Array]
    core: Array
    shared: Array
    loadings: Array

    @property
    def rank(self) -> int:
        return int(self.core.shape[1])

    def components(self, k: int) -> Array:
        """The components of slice `k`, one column each."""
        return np.asarray(self.bases[k] @ self.core)

    def slice(self, k: int) -> Array:
        """Slice `k` itself."""
        return np.asarray((self.components(k) * self.loadings[k]) @ self.shared.T)

    def to_dense(self) -> list[Array]:
        """All slices."""
        return [self.slice(k) for k in range(len(self.bases))]

    def arrays(self) -> dict[str, Array]:
        """Under the names that files of the command line use."""
        named = {"shared": self.shared, "loadings": self.loadings, "core": self.core}
        return {**named, **{f"basis_{k}": p for k, p in enumerate(self.bases)}}


@dataclass(frozen=True, eq=False, repr=False)
class Tucker(_Named):
    """A small core and a matrix for each mode."""

    core: Array
    factors: list[Array]

    @property
    def ranks(self) -> tuple[int, ...]:
        return self.core.shape

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(f.shape[0] for f in self.factors)

    def to_dense(self) -> Array:
        """The tensor itself."""
        t: Array = self.core
        for k, f in enumerate(self.factors):
            t = np.moveaxis(np.tensordot(f, t, axes=(1, k)), 0, k)
        return t

    def arrays(self) -> dict[str, Array]:
        """The core and the factors by name."""
        return {"core": self.core, **{f"factor_{k}": f for k, f in enumerate(self.factors)}}
