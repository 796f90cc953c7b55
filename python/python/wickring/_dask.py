"""Moments of blocks that live anywhere: numpy arrays, iterables of blocks, files, dask arrays and frames."""

from __future__ import annotations

from typing import Any

from ._blocks import files_of, is_paths
from ._native import Moments

__all__ = ["moments"]


def _block(first_row: int, block: Any, columns: int, third: bool) -> Moments:
    part = Moments(columns, third)
    part.add(first_row, block)
    return part


def _merge(a: Moments, b: Moments) -> Moments:
    return a + b


def moments(x: Any, *, third: bool = False) -> Moments:
    """The accumulator of all rows of an array, an iterable of blocks, files, or a dask array or frame.

    The result is the same bits for every split into blocks, order and number of workers. A dask array is summed where
    its blocks lie, and merged by a tree of pairs; only accumulators travel.
    """
    if hasattr(x, "dask") and hasattr(x, "to_dask_array"):
        x = x.to_dask_array(lengths=True)
    if hasattr(x, "dask") and hasattr(x, "chunks"):
        return _of_dask(x, third)
    if is_paths(x):
        return Moments.of_files(files_of(x), third)
    if hasattr(x, "shape") or isinstance(x, (list, tuple)):
        from ._check import matrix

        a = matrix(x)
        return _block(0, a, a.shape[1], third)
    total: Moments | None = None
    first = 0
    for block in x:
        from ._check import matrix

        a = matrix(block)
        if total is None:
            total = Moments(a.shape[1], third)
        total.add(first, a)
        first += len(a)
    if total is None:
        raise ValueError("moments: at least one block is needed")
    return total


def _of_dask(x: Any, third: bool) -> Moments:
    from dask.delayed import delayed

    if x.ndim != 2:
        raise ValueError(f"x: expected a 2D array (rows are samples), got shape {x.shape}")
    if any(n != n for n in x.chunks[0]):
        raise ValueError("x: the lengths of the chunks are unknown: call compute_chunk_sizes() first")
    columns = x.shape[1]
    x = x.rechunk({1: -1})
    blocks = x.to_delayed().ravel()
    block, merge = delayed(_block, pure=True), delayed(_merge, pure=True)
    parts, first = [], 0
    for b, n in zip(blocks, x.chunks[0]):
        parts.append(block(first, b, columns, third))
        first += int(n)
    while len(parts) > 1:
        pairs = [merge(a, b) for a, b in zip(parts[::2], parts[1::2])]
        parts = pairs + parts[len(pairs) * 2 :]
    result: Moments = parts[0].compute()
    return result
