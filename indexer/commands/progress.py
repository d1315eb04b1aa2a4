"""The progress of an update on stderr: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from indexer.render import make_console, safe, say, say_cpu

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from indexer.commands.common import EmbedderLoader
    from indexer.types import Progress

_LOG_EVERY_S = 30.0
_STAGES = {
    "wait": ("waiting", ""),
    "walk": ("looking for files", "files"),
    "parse": ("reading functions", "files"),
    "draft": ("drafting vectors", "functions"),
    "embed": ("embedding", "functions"),
    "finish": ("finishing", ""),
}


class ProgressDisplay:
    """Called with each `Progress` of an update; a context manager that leaves no trace on the screen."""

    def __init__(self, loader: EmbedderLoader, clock: Callable[[], float] = time.monotonic) -> None:
        self._loader = loader
        self._clock = clock
        self._console = make_console(stderr=True)
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._stage = ""
        self._stage_start = self._last_line = clock()
        self._done_before = 0
        self._told = False

    def __enter__(self) -> ProgressDisplay:
        if self._console.is_terminal:
            self._bar = _make_bar(self._console)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Show how far the update is; the shape `Index.update` wants."""
        if progress.stage != self._stage:
            self._start_stage(progress)
        if progress.stage == "embed" and progress.total and self._loader.fell_back and not self._told:
            self._told = True
            say_cpu()
        if self._bar is None:
            self._log(progress)
        else:
            self._draw(progress)

    def _start_stage(self, progress: Progress) -> None:
        self._stage = progress.stage
        self._stage_start = self._clock()
        self._done_before = progress.done
        if self._bar is not None and self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None

    def _draw(self, progress: Progress) -> None:
        assert self._bar is not None
        title, detail, total = self._title(progress), self._detail(progress), progress.total or None
        if self._task is None:
            self._task = self._bar.add_task(title, total=total, detail=detail)
        self._bar.update(self._task, description=title, completed=progress.done, total=total, detail=detail)

    def _log(self, progress: Progress) -> None:
        now = self._clock()
        if now - self._last_line >= _LOG_EVERY_S or (progress.stage == "wait" and progress.done == 0):
            self._last_line = now
            say(f"{self._title(progress)} {self._detail(progress)}".rstrip())

    def _title(self, progress: Progress) -> str:
        title, _ = _STAGES.get(progress.stage, (progress.stage, ""))
        return safe(progress.message) if progress.stage == "wait" and progress.message else title

    def _detail(self, progress: Progress) -> str:
        _, unit = _STAGES.get(progress.stage, ("", ""))
        if not unit:
            return ""
        of = f" of {progress.total:,}" if progress.total else ""
        parts = [f"{progress.done:,}{of} {unit}"]
        seconds = self._clock() - self._stage_start
        done = progress.done - self._done_before
        if seconds > 1 and done > 0:
            rate = done / seconds
            parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
        if progress.stage == "embed" and self._loader.device:
            parts.append(f"on {self._loader.device}")
        return ", ".join(parts)


def _make_bar(console: object) -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
    from rich.table import Column

    assert isinstance(console, Console)
    spinner = "dots" if console.encoding.lower().startswith("utf") else "line"
    return Progress(
        SpinnerColumn(spinner),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[detail]}", markup=False, table_column=Column(no_wrap=True)),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
        redirect_stdout=False,
    )
