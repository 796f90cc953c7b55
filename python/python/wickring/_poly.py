"""What `wickring.Poly` does in Python: evaluation with broadcasting, roots, and other packages' polynomials."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from . import _native
from ._native import Poly

__all__ = ["GroebnerBasis", "Root", "from_sympy", "groebner", "roots", "symbols", "to_sympy"]


def symbols(names: str) -> tuple[Poly, ...]:
    """Polynomials that are single variables: `x, y = symbols("x y")`.

    >>> x, y = symbols("x y")
    >>> str((x + y) ** 2)
    'x^2 + 2*x*y + y^2'
    """
    return tuple(Poly(name, [name]) for name in names.replace(",", " ").split())


def call(p: Poly, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> Any:
    """`p(x, y)`, `p(x=.., y=..)`, or `p(points)` with a row for each point and a column for each name."""
    names = p.names
    if kwargs:
        unknown = set(kwargs) - set(names)
        if args or unknown:
            raise TypeError(f"values for the variables {names}, by place or by name, got {sorted(kwargs)}")
        missing = [n for n in names if n not in kwargs]
        if missing:
            raise TypeError(f"no value for {missing}: put polynomials for some variables with subs")
        args = tuple(kwargs[n] for n in names)
    if len(args) == 1 and len(names) != 1:
        points = np.asarray(args[0])
        if points.ndim < 1 or points.shape[-1] != len(names):
            raise ValueError(f"points: the last axis must hold {len(names)} coordinates {names}, got shape {points.shape}")
        args = tuple(points[..., k] for k in range(len(names)))
    if len(args) != len(names):
        raise TypeError(f"{len(names)} values are needed, for {names}, got {len(args)}")
    if all(isinstance(a, numbers.Rational) for a in args):
        return p._eval_exact(list(args))
    columns = [np.asarray(a) for a in args]
    for name, c in zip(names, columns):
        if c.dtype.kind not in "biufO":
            raise TypeError(f"{name}: real numbers are needed, got dtype {c.dtype}")
    columns = list(np.broadcast_arrays(*[c.astype(np.float64) for c in columns]))
    shape = columns[0].shape
    values = p._eval([np.ascontiguousarray(c).reshape(-1) for c in columns])
    return values.reshape(shape) if shape else float(values[0])


@dataclass(frozen=True)
class Root:
    """A real root, alone in the interval from `low` to `high`; the two are equal when the root is that number."""

    low: Fraction
    high: Fraction
    multiplicity: int

    @property
    def exact(self) -> Fraction | None:
        """The root when it was found to be rational."""
        return self.low if self.low == self.high else None

    def __float__(self) -> float:
        return float((self.low + self.high) / 2)


def roots(p: Poly, bits: int = 60, *, timeout: float | None = None) -> list[Root]:
    """All real roots of a polynomial in one variable, ascending, each isolated to `2^-bits`; their number is certain."""
    return [Root(*r) for r in p.root_intervals(bits, timeout=timeout)]


@dataclass(frozen=True)
class GroebnerBasis:
    """A reduced Groebner basis and the dimension of the quotient (`None`: infinite)."""

    basis: tuple[Poly, ...]
    quotient_dimension: int | None
    order: str


def groebner(
    generators: Iterable[Poly | str], *, order: str = "degrevlex", certify: bool = False, timeout: float | None = None
) -> GroebnerBasis:
    """A Groebner basis of an ideal over the rationals, checked by Buchberger's criterion; with `certify` also that it
    lies in the ideal. Orders: lex, deglex, degrevlex."""
    polynomials = [Poly(g) for g in generators]
    basis, dimension = _native.groebner(polynomials, order, certify, timeout)
    return GroebnerBasis(tuple(basis), dimension, order)


def to_sympy(p: Poly) -> Any:
    """A sympy expression, exactly."""
    import sympy  # type: ignore[import-untyped,unused-ignore]

    names = sympy.symbols(p.names)
    terms = {e: sympy.Rational(c.numerator, c.denominator) for e, c in p.to_dict().items()}
    if not names:
        return terms.get((), sympy.Integer(0))
    return sympy.Poly.from_dict(terms, *names).as_expr()


def from_sympy(expression: Any, names: Sequence[str] | None = None) -> Poly:
    """The polynomial of a sympy expression or `Poly` with rational coefficients."""
    import sympy  # type: ignore[import-untyped,unused-ignore]

    if isinstance(expression, sympy.Poly):
        q = expression
    else:
        expression = sympy.sympify(expression)
        free = sorted(expression.free_symbols, key=str) if names is None else [sympy.Symbol(n) for n in names]
        if not free:
            value = sympy.Rational(expression)
            return Poly(Fraction(int(value.p), int(value.q)))
        q = sympy.Poly(expression, *free)
    terms = {}
    for exponents, c in q.as_dict().items():
        if not c.is_Rational:
            raise TypeError(f"rational coefficients are needed, got {c}")
        terms[tuple(int(k) for k in exponents)] = Fraction(int(c.p), int(c.q))
    return Poly.from_dict(terms, [str(g) for g in q.gens])
