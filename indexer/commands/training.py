"""`codewhere mine` and `codewhere train`: making the data for a model, and the model."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.commands.common import Interruption
from indexer.commands.index import tell_stopped
from indexer.errors import UserError
from indexer.render import count, print_json, print_line, say

if TYPE_CHECKING:
    from indexer.training.mining.blocklist import Blocklist

_SHOWN = 12  # reasons and languages
_TOLD_EVERY_S = 10.0
_STOPPING = "Stopping after this step. Ctrl-C again stops at once."


def mine(
    folders: Sequence[Path],
    out: Path,
    *,
    licence: str | None,
    exclude: Path | None,
    processes: int,
    per_repository: int | None,
    as_json: bool,
) -> None:
    """Mine pairs and tell what was taken and what was dropped."""
    from indexer.training.mine import mine

    block = _read_blocklist(exclude) if exclude is not None else None
    report = mine(
        folders, out, licence=licence, exclude=block, processes=processes, per_repository=per_repository
    )
    if not report.pairs:
        reasons = ", ".join(f"{number:,} {name}" for name, number in report.dropped.most_common(_SHOWN))
        raise UserError(f"No pairs were found, and {out} is as it was. Dropped: {reasons or 'nothing'}.")
    if as_json:
        # Not asdict, which makes a wrong copy of a Counter before Python 3.12.
        print_json(vars(report))
        return
    print_line(f"{count(report.pairs, 'pair')} from {count(report.files, 'file')} in {out}")
    for title, counter in (("language", report.languages), ("dropped", report.dropped)):
        for name, number in counter.most_common(_SHOWN):
            print_line(f"  {title} {name}: {number:,}")


def _read_blocklist(path: Path) -> Blocklist:
    from indexer.training.mining.blocklist import Blocklist

    try:
        return Blocklist.load(path)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"Cannot read the list of blocked code {path}: {error}.") from error


def train(recipe: Path, work: Path, out: Path, device: str) -> int:
    """Run a recipe, or go on with one that was stopped; the exit status."""
    with _extra("train"), Interruption(_STOPPING) as stop:
        from indexer.training.recipe import Recipe
        from indexer.training.run import train

        read = Recipe.read(recipe)
        spec = train(read, work, out, device=device, on_step=_Steps(read.tuning.steps), cancelled=stop)
    if spec is None:
        return tell_stopped()
    print_line(f"{spec.name}: {spec.dim} dimensions, in {out}")
    print_line(f"scores: {json.dumps(spec.scores)}" if spec.scores else "no scores yet: codewhere evaluate")
    return 0


def adapt(folders: Sequence[Path], model: str, work: Path, out: Path, steps: int | None, device: str) -> int:
    """Tune a model on one's own code, and tell whether it helped; the exit status."""
    with _extra("train"), Interruption(_STOPPING) as stop:
        from indexer.training.own import adapt

        say("Looking for documented functions.")
        made = adapt(
            folders, model, work, out, steps=steps, device=device, on_step=_Steps(steps), cancelled=stop
        )
    if made is None:
        return tell_stopped()
    print_line(
        f"{made.spec.name}: tuned for {count(made.steps, 'step')} on {count(made.pairs, 'function')}, in {out}"
    )
    print_line(
        f"Functions of yours that it was not tuned on, found by their comments (MRR): {made.before:.3f} before,"
        f" {made.after:.3f} after."
    )
    print_line(
        f"Use it with: codewhere index --model {out}, or model = {str(out.resolve())!r} in the settings."
    )
    return 0


class _Steps:
    """Tells how far a training is, now and then, on stderr."""

    def __init__(self, steps: int | None) -> None:
        self._of = f" of {steps:,}" if steps else ""
        self._told = -_TOLD_EVERY_S

    def __call__(self, row: Mapping[str, Any]) -> None:
        now = time.monotonic()
        if now - self._told >= _TOLD_EVERY_S:
            self._told = now
            say(f"Step {row['step']:,}{self._of}: loss {row['loss']:.3f}, {row['seconds']:.1f} s a step")


@contextmanager
def _extra(name: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("indexer"):
            raise
        message = f"This needs {error.name}, which is not installed. Run: pip install 'codewhere[{name}]'"
        raise UserError(message) from error
