"""How good answers are while a folder is still being embedded, with and without what was asked for coming first.

    python benchmarks/partial.py --checkouts ~/checkouts --home ~/bench-home --out benchmarks/results/partial.json

The questions of questions.py to indexes that have every vector, of which ranking is shown a part: the share that would
have been embedded by then, with or without the functions that the question itself brings forward.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from questions import HERE, questions
from repos import Question, by_everything_and_tokens, by_words_and_signals, indexed, mean, settings

from indexer.engine import Index
from indexer.search import LACKING
from indexer.store import vectors

SHARES = (0.0, 0.05, 0.2, 0.5, 1.0)
_NO_MODEL = -1


class Asked(NamedTuple):
    """A question with what decides which of its candidates have a vector."""

    question: Question
    turns: Mapping[int, float]
    """When each candidate is embedded: 0 is at once, 1 is last."""
    cosines: Mapping[int, float]
    """Of the candidates that words found."""

    def at(self, share: float, first: int) -> Question:
        """The question with the vectors of a share of the folder, and of the `first` likeliest by words."""
        found = self.question.found
        there = {id_ for id_, turn in self.turns.items() if turn < share}
        there |= {candidate.id for candidate in found.lexical[:first]}
        dense = {candidate.id: candidate for candidate in found.dense if candidate.id in there}
        for candidate in found.lexical:
            if candidate.id in there:
                dense.setdefault(candidate.id, replace(candidate, score=self.cosines[candidate.id]))
        lexical = [replace(candidate, has_vector=candidate.id in there) for candidate in found.lexical]
        return replace(self.question, found=found._replace(lexical=lexical, dense=list(dense.values())))


def asked(index: Index, found: Iterator[Question]) -> Iterator[Asked]:
    """The questions to one index."""
    store, embedder = index._store, index.load_embedder()
    assert embedder is not None
    root = store.indexed_root(str(index.root))
    with store._database.reading() as db:
        order = {content: at for at, content in enumerate(vectors.missing(db, root.id, _NO_MODEL))}
    for question in found:
        both = question.found
        ids = list({candidate.id for candidate in (*both.lexical, *both.dense)})
        turns = {id_: order[at] / len(order) for id_, at in zip(ids, store.contents_of(ids), strict=True)}
        vector = embedder.encode_queries([both.query.glossed_text])[0]
        hashes = {candidate.id: candidate.function.content_hash for candidate in both.lexical}
        windows = store.vectors_of(embedder.fingerprint, hashes.values())
        cosines = {id_: float((windows[hash_] @ vector).max()) for id_, hash_ in hashes.items()}
        yield Asked(question, turns, cosines)


def figures(found: Sequence[Question]) -> dict[str, float]:
    """Mean reciprocal rank within ten, and the shares answered by the first result and by the first three."""
    order = [by_everything_and_tokens if question.found.dense else by_words_and_signals for question in found]
    places = [question.place(rank(question)) for question, rank in zip(found, order, strict=True)]
    return {
        "mrr": round(mean([1 / at if at else 0.0 for at in places]), 4),
        "first": round(mean([float(at == 1) for at in places]), 4),
        "first three": round(mean([float(0 < at <= 3) for at in places]), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkouts", type=Path, required=True, help="a folder for each repository")
    parser.add_argument("--home", type=Path, required=True, help="data folder of the indexes")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    repositories = json.loads((HERE / "repositories.json").read_text("utf-8"))
    every: list[Asked] = []
    for repository, index in indexed(
        repositories, lambda row: arguments.checkouts / row["name"], arguments.home, "small"
    ):
        every += asked(index, questions(index, repository))
    results: dict[str, Any] = {
        str(share): {
            way: figures([one.at(share, first) for one in every])
            for way, first in (("in order", 0), ("asked first", LACKING))
        }
        for share in SHARES
    }
    named = settings("small", "answers while a folder is embedded", [one.question for one in every])
    arguments.out.write_text(json.dumps({"settings": named, "results": results}, indent=1) + "\n", "utf-8")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
