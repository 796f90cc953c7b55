"""Models of tensors: plain arrays with a name, and the way back to a dense array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, eq=False)
class CP:
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


@dataclass(frozen=True, eq=False)
class SymmetricCP:
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


@dataclass(frozen=True, eq=False)
class Ring:
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


@dataclass(frozen=True, eq=False)
class Train(Ring):
    """A ring whose first and last rank is 1."""


@dataclass(frozen=True, eq=False)
class Parafac2:
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


@dataclass(frozen=True, eq=False)
class Tucker:
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
