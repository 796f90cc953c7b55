"""Exceptions. Each says in words what is wrong, carries the numbers as attributes and in `fields`, is also the builtin
exception that programs catch, and can be pickled."""

from __future__ import annotations

from typing import Any

__all__ = [
    "BackendFailure",
    "Degenerate",
    "FileError",
    "InvalidInput",
    "LimitExceeded",
    "NonFinite",
    "NotConverged",
    "NotConvergedWarning",
    "Overflow",
    "ParseError",
    "ShapeMismatch",
    "Stopped",
    "WickringError",
]


class WickringError(Exception):
    """Root of all exceptions of this package."""

    def __init__(self, message: str = "", **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields
        self.__dict__.update(fields)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.fields)


def _rebuild(cls: type[WickringError], message: str, fields: dict[str, Any]) -> WickringError:
    return cls(message, **fields)


class InvalidInput(WickringError, ValueError):
    """Fix the call: `op`, `requirement`."""


class ShapeMismatch(WickringError, ValueError):
    """Fix the call, two sizes do not go together: `op`, `expected`, `found`."""


class ParseError(WickringError, ValueError):
    """Fix the text: `op`, `at` (byte offset), `expected`."""


class FileError(WickringError, OSError):
    """Fix the file: `path`, `place`, `problem`."""


class NonFinite(WickringError, ValueError):
    """Fix the data, an entry is NaN or infinite: `op`, `index` (flat)."""


class Degenerate(WickringError, ValueError):
    """Change the model, the data violate a hypothesis of the theorem behind it: `op`, `hypothesis`, `measured`."""


class Overflow(WickringError, OverflowError):
    """Exact arithmetic would leave its representation: `op`, `what`."""


class LimitExceeded(WickringError, RuntimeError):
    """A budget would be exceeded: `op`, `what`, `limit`."""


class Stopped(WickringError, TimeoutError):
    """Stopped, by a callback or a time limit, before there was an answer: `op`."""


class BackendFailure(WickringError, ArithmeticError):
    """Every route through linear algebra failed: `op`, `routine`."""


class NotConverged(WickringError, RuntimeError):
    """A model exists but did not pass its tests: `status`, `rel_residual`."""


class NotConvergedWarning(UserWarning):
    """A model exists but did not pass its tests."""
