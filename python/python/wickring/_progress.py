"""Progress of long work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Callback", "Progress", "tqdm_progress", "watching"]

#: `(stage, done, total, figure)`; `False` (not `None`) asks to stop with the best model so far.
Callback = Callable[[str, int, "int | None", "float | None"], Any]
#: A callback, or `True` for a bar of tqdm.
Progress = Callback | bool | None


class tqdm_progress:
    """A progress callback that draws a bar of tqdm, one for each stage."""

    def __init__(self, **kw: Any) -> None:
        self.kw = kw
        self.bar: Any = None
        self.stage: str | None = None

    def __enter__(self) -> tqdm_progress:
        return self

    def __call__(self, stage: str, done: int, total: int | None, figure: float | None) -> None:
        from tqdm.auto import tqdm  # type: ignore[import-untyped,unused-ignore]

        if stage != self.stage:
            self.__exit__(None, None, None)
            self.bar, self.stage = tqdm(total=total, desc=stage, **self.kw), stage
        if figure is not None:
            self.bar.set_postfix_str(f"{figure:.2e}", refresh=False)
        self.bar.update(done - self.bar.n)

    def __exit__(self, *exc: object) -> None:
        if self.bar is not None:
            if exc[0] is None and self.bar.total:  # steps are reported when they begin: the last one's end is never seen
                self.bar.update(self.bar.total - self.bar.n)
            self.bar.close()
            self.bar = None


@contextmanager
def watching(progress: Progress) -> Iterator[Callback | None]:
    """The callback that `progress` asks for."""
    if progress is True:
        with tqdm_progress() as bar:
            yield bar
    else:
        yield progress or None
