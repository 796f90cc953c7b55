"""Moments of blocks that live anywhere: numpy arrays, iterables of blocks, files, dask arrays and frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._blocks import files_of, is_paths
from ._native import Moments, Pass, PassSums

__all__ = ["engine_of", "moments"]


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


def _blocks(x: Any) -> tuple[list[Any], list[tuple[int, int]]]:
    """The delayed blocks of a dask array, with the number of the first row and the number of rows of each."""
    if x.ndim != 2:
        raise ValueError(f"x: expected a 2D array (rows are samples), got shape {x.shape}")
    if any(n != n for n in x.chunks[0]):
        raise ValueError("x: the lengths of the chunks are unknown: call compute_chunk_sizes() first")
    places, first = [], 0
    for n in x.chunks[0]:
        places.append((first, int(n)))
        first += int(n)
    return list(x.rechunk({1: -1}).to_delayed().ravel()), places


def _joined(parts: list[Any], merge: Any) -> Any:
    """The sum of the parts by a tree of pairs, computed where they lie."""
    while len(parts) > 1:
        pairs = [merge(a, b) for a, b in zip(parts[::2], parts[1::2])]
        parts = pairs + parts[len(pairs) * 2 :]
    return parts[0].compute()


def _of_dask(x: Any, third: bool) -> Moments:
    from dask.delayed import delayed

    blocks, places = _blocks(x)
    block, merge = delayed(_block, pure=True), delayed(_merge, pure=True)
    parts = [block(first, b, x.shape[1], third) for b, (first, _) in zip(blocks, places)]
    result: Moments = _joined(parts, merge)
    return result


def _answer(question: Pass, first: int, learned: int, block: Any) -> PassSums:
    return question.of_rows(first, learned, block)


def _add(a: PassSums, b: PassSums) -> PassSums:
    return a + b


def engine_of(x: Any) -> Callable[[Pass], PassSums]:
    """Answers passes over a dask array: every block where it lies; only questions and sums travel."""
    from dask.delayed import delayed

    blocks, places = _blocks(x)
    answer, add = delayed(_answer, pure=True), delayed(_add, pure=True)

    def run(question: Pass) -> PassSums:
        parts, learned = [], 0
        for b, (first, n) in zip(blocks, places):
            parts.append(answer(question, first, learned, b))
            learned += question.learning_rows(first, n)
        sums: PassSums = _joined(parts, add)
        return sums

    return run
