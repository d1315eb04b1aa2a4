"""How good answers are while a folder is still being embedded: with drafts, and with what was asked for coming first.

    python benchmarks/partial.py --checkouts ~/checkouts --home ~/bench-home --out benchmarks/results/partial.json

The questions of questions.py to indexes that have every vector, of which ranking is shown a part: the share that would
have been embedded by then, with or without the functions that the question itself brings forward, and with or without
drafts of all others.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from questions import HERE, questions
from repos import Question, by_everything_and_tokens, by_words_and_signals, indexed, mean, settings

from indexer.engine import Index
from indexer.rank import Candidate
from indexer.search import CANDIDATES, LACKING
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
    guesses: Mapping[int, float]
    """By drafts, of the candidates and of the nearest of all functions."""
    drafted: Mapping[int, Candidate]
    """The nearest by drafts, best first."""

    @staticmethod
    def _next(likely: Iterable[int], there: Collection[int], first: int) -> list[int]:
        return list(dict.fromkeys(id_ for id_ in likely if id_ not in there))[:first]

    def with_drafts(self, share: float, first: int) -> Question:
        """As `at`, with drafts of what has no vector by then."""
        found = self.question.found
        there = {id_ for id_, turn in self.turns.items() if turn < share}
        turns = chain.from_iterable(zip_longest(found.lexical, self.drafted.values()))
        there |= set(self._next((candidate.id for candidate in turns if candidate), there, first))
        every = {
            candidate.id: candidate for candidate in (*self.drafted.values(), *found.lexical, *found.dense)
        }
        cosines = {**self.cosines, **{candidate.id: candidate.score for candidate in found.dense}}
        known = {id_: cosines[id_] for id_ in every if id_ in there and id_ in cosines}
        scores = {**known, **{id_: self.guesses[id_] for id_ in every if id_ not in there}}
        best = sorted(scores, key=lambda id_: -scores[id_])[:CANDIDATES]
        dense = [replace(every[id_], score=scores[id_], has_vector=True) for id_ in best]
        lexical = [replace(candidate, has_vector=True) for candidate in found.lexical]
        return replace(self.question, found=found._replace(lexical=lexical, dense=dense))

    def at(self, share: float, first: int) -> Question:
        """The question with the vectors of a share of the folder, and of the `first` likeliest by words."""
        found = self.question.found
        there = {id_ for id_, turn in self.turns.items() if turn < share}
        there |= set(self._next((candidate.id for candidate in found.lexical), there, first))
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
    drafts = drafts_of(index)
    for question in found:
        both = question.found
        ids = list({candidate.id for candidate in (*both.lexical, *both.dense)})
        turns = {id_: order[at] / len(order) for id_, at in zip(ids, store.contents_of(ids), strict=True)}
        vector = embedder.encode_queries([both.query.glossed_text])[0]
        hashes = {candidate.id: candidate.function.content_hash for candidate in both.lexical}
        windows = store.vectors_of(embedder.fingerprint, hashes.values())
        cosines = {id_: float((windows[hash_] @ vector).max()) for id_, hash_ in hashes.items()}
        guessed = guesses(drafts, vector)
        nearest = sorted(guessed, key=lambda id_: -guessed[id_])[: 4 * CANDIDATES]
        stored = store.functions_of(root, nearest)
        near = {
            id_: Candidate(id_, stored[id_].function, stored[id_].demoted, guessed[id_]) for id_ in nearest
        }
        turns |= {
            id_: order[at] / len(order) for id_, at in zip(nearest, store.contents_of(nearest), strict=True)
        }
        yield Asked(question, turns, cosines, guessed, near)


Drafts = tuple[list[int], list[int], npt.NDArray[np.float32]]
"""Functions, the rows of their contents, and drafts by row."""


def drafts_of(index: Index) -> Drafts:
    """Drafts of everything in an index."""
    store, embedder = index._store, index.load_embedder()
    assert embedder is not None
    with store._database.reading() as db:
        pairs = db.execute(
            "SELECT f.id, f.content_id FROM files JOIN functions f ON f.file_id = files.id WHERE files.root_id = ?",
            (store.indexed_root(str(index.root)).id,),
        ).fetchall()
        texts = vectors.texts(db, sorted({content for _, content in pairs}))
    rows = {content: row for row, content in enumerate(texts)}
    made = embedder.draft.encode(list(texts.values()))  # type: ignore[attr-defined]
    return [id_ for id_, _ in pairs], [rows[content] for _, content in pairs], made


def guesses(drafts: Drafts, vector: npt.NDArray[np.float32]) -> dict[int, float]:
    """The cosine of each function with a query, as its draft has it."""
    functions, rows, made = drafts
    return dict(zip(functions, (made @ vector)[rows].tolist(), strict=True))


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
    parser.add_argument("--leave-out", nargs="*", default=[], help="repositories that take too long to embed")
    arguments = parser.parse_args()
    repositories = json.loads((HERE / "repositories.json").read_text("utf-8"))
    repositories = [row for row in repositories if row["name"] not in arguments.leave_out]
    every: list[Asked] = []
    for repository, index in indexed(
        repositories, lambda row: arguments.checkouts / row["name"], arguments.home, "small"
    ):
        every += asked(index, questions(index, repository))
    results: dict[str, Any] = {
        str(share): {
            "in order": figures([one.at(share, 0) for one in every]),
            "asked first": figures([one.at(share, LACKING) for one in every]),
            "drafts": figures([one.with_drafts(share, 0) for one in every]),
            "drafts, asked first": figures([one.with_drafts(share, LACKING) for one in every]),
        }
        for share in SHARES
    }
    named = settings("small", "answers while a folder is embedded", [one.question for one in every])
    arguments.out.write_text(json.dumps({"settings": named, "results": results}, indent=1) + "\n", "utf-8")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
