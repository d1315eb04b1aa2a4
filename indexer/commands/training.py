"""`codewhere mine` and `codewhere train`: making the data for a model, and the model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import UserError
from indexer.render import count, print_json, print_line

if TYPE_CHECKING:
    from indexer.training.mining.blocklist import Blocklist

_SHOWN = 12  # reasons and languages


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


def train(recipe: Path, work: Path, out: Path, device: str) -> None:
    """Run a recipe, or go on with one that was stopped."""
    with _extra("train"):
        from indexer.training.recipe import Recipe
        from indexer.training.run import train

        spec = train(Recipe.read(recipe), work, out, device=device)
    print_line(f"{spec.name}: {spec.dim} dimensions, in {out}")
    print_line(f"scores: {json.dumps(spec.scores)}" if spec.scores else "no scores yet: codewhere evaluate")


def adapt(folders: Sequence[Path], model: str, work: Path, out: Path, steps: int | None, device: str) -> None:
    """Tune a model on one's own code, and tell whether it helped."""
    with _extra("train"):
        from indexer.training.own import adapt

        made = adapt(folders, model, work, out, steps=steps, device=device)
    print_line(f"{made.spec.name}: tuned for {made.steps} steps on {count(made.pairs, 'function')}, in {out}")
    print_line(
        f"Functions of yours that it was not tuned on, found by their comments (MRR): {made.before:.3f} before,"
        f" {made.after:.3f} after."
    )
    print_line(
        f"Use it with: codewhere index --model {out}, or model = {str(out.resolve())!r} in the settings."
    )


@contextmanager
def _extra(name: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("indexer"):
            raise
        message = f"This needs {error.name}, which is not installed. Run: pip install 'codewhere[{name}]'"
        raise UserError(message) from error
