"""Measuring embedders: data sets, metrics, baselines, reports (`codewhere evaluate`)."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.errors import UserError

if TYPE_CHECKING:
    from indexer.evaluation.datasets import EvaluationSet
    from indexer.evaluation.scorers import Scorer


def main(arguments: Sequence[str]) -> int:
    """The command `codewhere evaluate`; the exit status."""
    from indexer.evaluation.datasets import read_sets
    from indexer.evaluation.run import plot, table

    options = _parser().parse_args(arguments)
    if options.out and not options.out.parent.is_dir():
        raise UserError(f"--out {options.out}: there is no folder {options.out.parent}")
    if options.no_model and not (options.baseline or options.bm25):
        raise UserError("--no-model leaves nothing to measure; name a --baseline, or --bm25")
    sets = [task for folder in options.data for task in read_sets(folder)]
    measure = _by_mteb if options.mteb else _by_ours
    results = measure(options, sets)
    if not any(result["groups"] for result in results):
        raise UserError("BM25 has no vectors for pairs and labels, which is all that these folders hold")
    if options.out:
        options.out.write_text(json.dumps({"results": results}, indent=1) + "\n", encoding="utf-8")
    shown = json.dumps(results) if options.json else "\n".join([table(results), "", *plot(results)])
    print(shown)  # noqa: T201
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="codewhere evaluate", description="Measure embedders at code search and natural language."
    )
    parser.add_argument("data", nargs="+", type=Path, help="folders of evaluation data (docs/embedder.md)")
    parser.add_argument("--model", action="append", default=[], help="a model of codewhere; may be repeated")
    parser.add_argument(
        "--dim", action="append", type=int, default=[], help="cut the vectors; may be repeated"
    )
    parser.add_argument(
        "--baseline",
        action="append",
        default=[],
        help="a sentence-transformers model to compare; may be repeated",
    )
    parser.add_argument("--bm25", action="store_true", help="compare with BM25")
    parser.add_argument(
        "--glossary",
        action="store_true",
        help="measure each once more with queries in other languages put into English, as search asks",
    )
    parser.add_argument(
        "--drafts", action="store_true", help="measure also what stands in for vectors at first"
    )
    parser.add_argument(
        "--mteb", action="store_true", help="by mteb's runner; --baseline takes any model that mteb knows"
    )
    parser.add_argument("--no-model", action="store_true", help="only the baselines")
    parser.add_argument("--device", help="cpu, cuda, cuda:N or mps")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _by_ours(options: argparse.Namespace, sets: Sequence[EvaluationSet]) -> list[dict[str, Any]]:
    from indexer.evaluation.run import evaluate

    return [
        evaluate(asked, sets) for scorer in _scorers(options) for asked in _ways(scorer, options.glossary)
    ]


def _ways(scorer: Scorer, glossary: bool) -> Iterator[Scorer]:
    from indexer.evaluation.scorers import CutModel, Glossed

    yield scorer
    if glossary and not isinstance(scorer, CutModel):
        yield Glossed(scorer)


def _by_mteb(options: argparse.Namespace, sets: Sequence[EvaluationSet]) -> list[dict[str, Any]]:
    try:
        from indexer.evaluation.mteb_tasks import Encoder, evaluate_with_mteb, find_model
    except ImportError as error:
        raise UserError("--mteb needs mteb: pip install 'codewhere[evaluate]'") from error
    if options.bm25 or options.dim or options.glossary or options.drafts:
        raise UserError("--bm25, --dim, --glossary and --drafts are not for --mteb: leave them out")
    models: list[Any] = [find_model(name, options.device) for name in options.baseline]
    if not options.no_model:
        models += [Encoder(name, device=options.device) for name in options.model or ["small"]]
    return [evaluate_with_mteb(model, sets) for model in models]


def _scorers(options: argparse.Namespace) -> Iterator[Scorer]:
    from indexer.evaluation.scorers import Bm25, CutModel, DraftModel, OurModel, SentenceTransformerModel

    if options.bm25:
        yield Bm25()
    for name in options.baseline:
        yield SentenceTransformerModel(name, options.device)
    if options.no_model:
        return
    for name in options.model or ["small"]:
        full = OurModel(name, options.device)
        yield full
        for dim in options.dim:
            if dim not in (dims := full.dims):
                listed = ", ".join(map(str, dims))
                raise UserError(f"--dim {dim}: the vectors of {name} can be cut to {listed}")
            yield CutModel(full, dim)
        if options.drafts:
            yield DraftModel(full)
