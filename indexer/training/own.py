"""A model adapted to somebody's own code: pairs from their folders, a low-rank change, and whether it helped."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.embedding.loading import find
from indexer.embedding.spec import ModelSpec
from indexer.errors import UserError
from indexer.evaluation.datasets import RetrievalSet
from indexer.evaluation.run import evaluate
from indexer.evaluation.scorers import OurModel
from indexer.training.data import Pair, read_pairs
from indexer.training.loop import OnStep
from indexer.training.mine import mine
from indexer.training.recipe import Backbone, Recipe, Source, Tuning
from indexer.training.run import run
from indexer.types import hash_of

MIN_PAIRS = 300
HELD_OUT = 0.15
"""Share of the files that nothing is learnt from: there it shows whether it helped."""
MAX_HELD_OUT = 400
BATCH = 64
EPOCHS = 2
MAX_STEPS = 300
RARE = 16
"""Pairs of a programming language below which it is left out: a batch holds one language."""


@dataclass(frozen=True)
class Adapted:
    """What came of it; ranks are of documented functions that were held out, asked for by their comments (MRR)."""

    spec: ModelSpec
    pairs: int
    steps: int
    before: float
    after: float


def adapt(
    folders: Sequence[Path],
    model: str,
    work: Path,
    out: Path,
    *,
    steps: int | None = None,
    device: str = "cpu",
    on_step: OnStep | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Adapted | None:
    """Tune a model on the documented functions of the folders and write it into `out`; resumes in `work`.

    Args:
        folders: repositories; under which licence is their owner's business.
        model: one with weights of its own, `small` or what this gave before.
        steps: of 64 pairs; by default two rounds over the pairs, at most 300.
        on_step, cancelled: as for `indexer.training.run.train`; None is returned where it was stopped.

    Raises:
        UserError: the model is an adapter itself, or fewer than 300 functions are documented.
    """
    start = find(model)
    if ModelSpec.read(start).adapter:
        raise UserError(f"{model} is an adapter itself; adapt small, or a model that this gave before")
    learnt, held_out = _pairs(folders, work)
    wanted = steps or min(MAX_STEPS, max(1, EPOCHS * len(learnt) // BATCH))
    recipe = _recipe(start, ModelSpec.read(start), wanted, _names(folders))
    data = [(recipe.sources[0], learnt)]
    spec = run(recipe, data, work, out, device=device, on_step=on_step, cancelled=cancelled)
    if spec is None:
        return None
    before, after = (_score(str(place), held_out, device) for place in (start, out))
    spec = replace(spec, scores={"own code before (MRR)": before, "own code (MRR)": after})
    spec.write(out)
    return Adapted(spec, len(learnt), wanted, before, after)


def _names(folders: Sequence[Path]) -> str:
    return ", ".join(sorted(str(folder.resolve()) for folder in folders))


def _recipe(start: Path, spec: ModelSpec, steps: int, sources: str) -> Recipe:
    return Recipe(
        name=f"{spec.name}-adapted",
        backbone=Backbone(folder=str(start), name=spec.backbone, licence=spec.licence),
        sources=(Source(sources, "pairs"),),
        tuning=Tuning(
            method="lora", rank=16, steps=steps, batch=BATCH, max_code_tokens=128, max_query_tokens=64,
            learning_rate=3e-4, embedding_learning_rate=1e-5, head_learning_rate=1e-5, warm_up=10, decay=0.7,
            dims=spec.dims, refit_head=(),
        ),
    )  # fmt: skip


def _pairs(folders: Sequence[Path], work: Path) -> tuple[list[Pair], list[Pair]]:
    """What is learnt from, and what is held out, by file; the same each time."""
    work.mkdir(parents=True, exist_ok=True)
    mined = work / f"pairs-{hash_of(_names(folders).encode()).hex()[:8]}.jsonl"
    # A run that was stopped goes on over the same pairs, whatever was edited meanwhile.
    if not (mined.exists() and (work / "checkpoint.pt").exists()):
        mine(folders, mined, own=True)
    pairs = read_pairs(mined, "pairs")
    counts = Counter(pair.language for pair in pairs)
    pairs = [pair for pair in pairs if counts[pair.language] >= RARE]
    if len(pairs) < MIN_PAIRS:
        raise UserError(
            f"only {len(pairs)} functions with a comment that says what they do; {MIN_PAIRS} at least are needed;"
            " --from may be given several times"
        )
    files = sorted({(pair.repo, pair.path) for pair in pairs})
    aside = set(random.Random(0).sample(files, max(1, round(len(files) * HELD_OUT))))
    held_out = [pair for pair in pairs if (pair.repo, pair.path) in aside]
    return [pair for pair in pairs if (pair.repo, pair.path) not in aside], held_out[:MAX_HELD_OUT]


def _score(model: str, pairs: Sequence[Pair], device: str) -> float:
    task = RetrievalSet(
        "own code",
        "held out",
        tuple(pair.query for pair in pairs),
        tuple(f"{pair.language} {pair.symbol}\n{pair.code}" for pair in pairs),
        tuple((number,) for number in range(len(pairs))),
    )
    return float(round(evaluate(OurModel(model, device), [task])["groups"][task.group]["mrr"], 3))
