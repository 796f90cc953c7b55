"""Rows that are not one array in memory: files, blocks that follow each other, dask arrays and frames."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from ._check import matrix

__all__ = ["blocks_of", "files_of", "is_lazy", "is_paths", "stored"]

#: Rows in a file of blocks.
_ROWS = 1 << 16


def is_paths(x: Any) -> bool:
    """A path, or a list of paths."""
    one = (str, os.PathLike)
    return isinstance(x, one) or (isinstance(x, (list, tuple)) and len(x) > 0 and all(isinstance(p, one) for p in x))


def files_of(x: Any) -> list[str]:
    """The paths as texts."""
    return [os.fspath(p) for p in ([x] if isinstance(x, (str, os.PathLike)) else x)]


def is_lazy(x: Any) -> bool:
    """A dask array or frame."""
    return hasattr(x, "dask") and hasattr(x, "to_delayed")


def blocks_of(x: Any) -> Iterator[Any] | None:
    """The blocks of rows of a dask array, a dask frame or an iterator; `None` for what is one array already."""
    if is_lazy(x):
        return (part.compute() for part in _parts(x))
    if isinstance(x, Iterator):
        return x
    return None


def _parts(x: Any) -> list[Any]:
    if hasattr(x, "npartitions") and not hasattr(x, "chunks"):
        return list(x.to_delayed())
    if x.ndim != 2:
        raise ValueError(f"x: expected a 2D array (rows are samples), got shape {x.shape}")
    return list(x.rechunk({1: -1}).to_delayed().ravel())


@contextmanager
def stored(blocks: Iterator[Any]) -> Iterator[list[str]]:
    """Files that hold the rows of the blocks while the context lasts, at most one block of them in memory.

    The learners pass over their rows several times, in the order of the rows; where the rows came from is forgotten, so
    that the answer is that of one array of the same rows.
    """
    with TemporaryDirectory(prefix="wickring-") as folder:
        writer = _Writer(Path(folder))
        for block in blocks:
            writer.add(matrix(block, "block"))
        yield writer.close()


class _Writer:
    """Files of equally many rows each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: list[str] = []
        self.file: NDArray[np.float64] | None = None
        self.filled = 0

    def add(self, rows: NDArray[np.float64]) -> None:
        while len(rows):
            if self.file is None:
                self.paths.append(str(self.folder / f"{len(self.paths):08}.npy"))
                self.file = open_memmap(self.paths[-1], mode="w+", dtype=np.float64, shape=(_ROWS, rows.shape[1]))
                self.filled = 0
            if self.file.shape[1] != rows.shape[1]:
                raise ValueError(f"block: expected {self.file.shape[1]} columns, got {rows.shape[1]}")
            taken = rows[: _ROWS - self.filled]
            self.file[self.filled : self.filled + len(taken)] = taken
            self.filled += len(taken)
            rows = rows[len(taken) :]
            if self.filled == _ROWS:
                self.file = None

    def close(self) -> list[str]:
        if not self.paths:
            raise ValueError("at least one block of rows is needed")
        if self.file is not None:
            part = np.array(self.file[: self.filled])
            self.file = None
            np.save(self.paths[-1], part)
        return self.paths
