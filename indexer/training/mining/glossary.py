"""The glossary of `indexer.rank.glossary`, learnt from sentences in English and other natural languages.

``python -m indexer.training.mining.glossary PARALLEL OUT`` reads the pairs of `indexer.training.mining.parallel` and
writes the table. Which word translates which is told by IBM Model 1 (Brown et al., Computational Linguistics 1993):
nothing but which words occur in sentences of one meaning, and expectation maximisation.
"""

from __future__ import annotations

import argparse
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indexer.rank.glossary import (
    BEGINNINGS,
    HANGUL_BEGINNINGS,
    SPACELESS,
    keys,
    pieces,
    split_words,
    without_names,
)
from indexer.rank.query import is_filler
from indexer.training.data import Pair, read_pairs
from indexer.training.mining.quality import word_count

ROUNDS = 6
LEAST_PAIRS = 1_000
"""Sentences of a language below which it is left out: too few to know it by."""
MOST_WORDS = 40
"""Of a sentence; in longer ones too many words may stand for each other."""
LEAST_COUNT = 1.5
"""Expected times that a word was translated so, below which it says too little."""
GIVEN = 0.85
"""Weight of how probable the English word is given the other, against that of the other given the English one."""
LEAST_SCORE = 0.2
"""Geometric mean of the two, so weighted."""
LEAST_SHARE = 0.6
"""Of the best English word's score that a second one needs."""
MOST_ENGLISH = 2
AS_MUCH_AS = 1.0
"""Times a word must be seen for its own translations to count as much as those of its beginning."""
OFTEN = 10
"""Times that a word without translation occurs which still tells its language."""
UNSEEN = 30_000
"""Words added to what was seen of a language, so that one with few sentences does not know its few words too well."""

Numbers = npt.NDArray[np.int64]
Sentence = tuple[list[str], list[str]]
"""Keys of the words in the other language, and the English words."""


class Alignment(NamedTuple):
    """How often one key is there for one English word, as far as the sentences tell."""

    counts: dict[str, dict[str, float]]
    """Key → English word → expected times."""
    english: dict[str, float]
    """English word → expected times, whatever it is there for."""


def align(sentences: Sequence[Sentence]) -> Alignment:
    """IBM Model 1: each English word of a sentence is there because of one of the other's keys, or of none."""
    others, englishes = _numbers(s[0] for s in sentences), _numbers(s[1] for s in sentences)
    others[""] = len(others)  # the word that stands for none
    at, english, other = _together(sentences, others, englishes)
    pairs, of_pair = np.unique(other * len(englishes) + english, return_inverse=True)
    _, of_place = np.unique(at * len(englishes) + english, return_inverse=True)
    left, right = pairs // len(englishes), pairs % len(englishes)
    share = np.ones(len(pairs))
    for _ in range(ROUNDS):
        weight = share[of_pair]
        times = np.bincount(of_pair, weight / np.bincount(of_place, weight)[of_place])
        share = times / np.bincount(left, times)[left]
    names, words = list(others), list(englishes)
    counts: dict[str, dict[str, float]] = defaultdict(dict)
    for number in np.flatnonzero((times >= LEAST_COUNT) & (left != others[""])):
        counts[names[left[number]]][words[right[number]]] = float(times[number])
    return Alignment(counts, dict(zip(words, np.bincount(right, times).tolist(), strict=True)))


def _numbers(texts: Iterable[Iterable[str]]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for words in texts:
        for word in words:
            numbers.setdefault(word, len(numbers))
    return numbers


def _together(
    sentences: Sequence[Sentence], others: dict[str, int], englishes: dict[str, int]
) -> tuple[Numbers, Numbers, Numbers]:
    """Sentence, English word and other key of every two that stand in one sentence."""
    parts: list[Numbers] = []
    for at, (left, right) in enumerate(sentences):
        ours = np.array([englishes[word] for word in dict.fromkeys(right)], np.int64)
        theirs = np.array([others[key] for key in {*left, ""}], np.int64)
        grid = np.meshgrid(ours, theirs, indexing="ij")
        parts.append(np.stack([np.full(grid[0].size, at), grid[0].ravel(), grid[1].ravel()]))
    at_, english, other = np.concatenate(parts, axis=1)
    return at_, english, other


class Chooser:
    """The English words of one language's keys, of all lengths together."""

    def __init__(self, alignments: Sequence[Alignment]) -> None:
        self._counts = dict(chain.from_iterable(alignment.counts.items() for alignment in alignments))
        self._english = {key: alignment.english for alignment in alignments for key in alignment.counts}

    def english(self, keys_of_word: Sequence[str]) -> tuple[str, ...]:
        """The best words for the first of these keys, a second one where it is nearly as good.

        One alone for a word that stands for one of those that say nothing, as articles do.
        """
        stem = next((key for key in reversed(keys_of_word) if key in self._counts), "")
        scores = {
            english: given**GIVEN * self._stands_for(stem, english) ** (1 - GIVEN)
            for english, given in self._given(keys_of_word).items()
        }
        least = max(LEAST_SCORE, LEAST_SHARE * max(scores.values(), default=0.0))
        ordered = sorted(scores, key=lambda english: (-scores[english], english))[:MOST_ENGLISH]
        near = [english for english in ordered if scores[english] >= least]
        telling = [english for english in near if not is_filler(english)]
        return tuple(near[:1] if near and is_filler(near[0]) else telling)

    def _given(self, keys_of_word: Sequence[str]) -> dict[str, float]:
        """How probable each English word is where the first key stands.

        What one form of a word was seldom seen with tells less than what all forms were, so its probabilities are
        smoothed by those of its beginning (Jelinek and Mercer 1980).
        """
        if not keys_of_word:
            return {}
        own, wider = self._counts.get(keys_of_word[0], {}), self._given(keys_of_word[1:])
        total = sum(own.values()) + (AS_MUCH_AS if wider else 0)
        return {
            english: (own.get(english, 0.0) + AS_MUCH_AS * wider.get(english, 0.0)) / total
            for english in {**own, **wider}
        }

    def _stands_for(self, key: str, english: str) -> float:
        """How probable the key is where the English word stands; of a word's beginning, as its forms share this."""
        return self._counts[key].get(english, 0.0) / self._english[key][english]


Row = tuple[str, str, str, int]
"""Word, language, English words, 100 times the logarithm of how often."""


def rows_of_language(language: str, pairs: Sequence[Pair]) -> Iterator[Row]:
    """What the glossary holds of one language.

    Whole words and their beginnings of each length are learnt apart, so that they do not share what they explain.
    """
    english = [split_words(without_names(pair.query))[0] for pair in pairs]
    split = [split_words(without_names(pair.code)) for pair in pairs]
    spaced = [[key for word in words for key in keys(word)] for words, _ in split]
    lengths = (0, *BEGINNINGS, *HANGUL_BEGINNINGS)
    levels = [[[key for key in words if _length(key) == length] for words in spaced] for length in lengths]
    levels.append([[part for run in runs for part in pieces(run)] for _, runs in split])
    total = sum(len(words) + sum(map(len, runs)) for words, runs in split)
    chooser = Chooser([align(list(zip(texts, english, strict=True))) for texts in levels if any(texts)])
    spellings = map(keys, {word for words, _ in split for word in words})
    forms = {key: spelt[at:] for spelt in spellings for at, key in enumerate(spelt)}
    for key, count in Counter(key for texts in levels for words in texts for key in words).items():
        found = chooser.english(forms.get(key, [key]))
        if count < OFTEN and found == chooser.english(forms.get(key, [])[1:]):
            continue  # its beginning says the same
        # A piece of a run that says nothing would only keep its neighbours from being found.
        if not all(map(is_filler, found)) or (count >= OFTEN and not SPACELESS.match(key)):
            yield key, language, " ".join(found), _often(count, total)


def _length(key: str) -> int:
    """Letters of a beginning; 0 for a whole word."""
    return len(key) - 1 if key.endswith("*") else 0


def rows_of_english(texts: Iterable[str]) -> Iterator[Row]:
    """The words of English, by which it is told from other languages."""
    words = [word for text in sorted(set(texts)) for word in split_words(without_names(text))[0]]
    counts = Counter(key for word in words for key in keys(word))
    return ((key, "en", "", _often(count, len(words))) for key, count in counts.items())


def _often(count: int, total: int) -> int:
    return round(100 * math.log(count / (total + UNSEEN)))


def is_usable(pair: Pair) -> bool:
    """Short enough, and not one of the sentences that tldr repeats on thousands of pages, in every language."""
    return word_count(pair.query) <= MOST_WORDS and not pair.query.startswith("This command is an alias")


def write(rows: Iterable[Row], out: Path) -> None:
    """Write the table, the same bytes for the same rows."""
    out.unlink(missing_ok=True)
    with sqlite3.connect(out) as db:
        db.execute("PRAGMA page_size = 4096")
        db.execute(
            "CREATE TABLE words (word TEXT, language TEXT, english TEXT, often INTEGER,"
            " PRIMARY KEY (word, language)) WITHOUT ROWID"
        )
        db.executemany("INSERT INTO words VALUES (?, ?, ?, ?)", sorted(rows))
    db.execute("VACUUM")
    db.close()


def learn(pairs: Iterable[Pair]) -> Iterator[Row]:
    """Every row of the glossary."""
    usable = [pair for pair in pairs if is_usable(pair)]
    by_language: dict[str, list[Pair]] = defaultdict(list)
    for pair in usable:
        by_language[pair.natural].append(pair)
    yield from rows_of_english(pair.query for pair in usable)
    for language, group in sorted(by_language.items()):
        if len(group) >= LEAST_PAIRS:
            yield from rows_of_language(language, group)


def main() -> None:
    """Read the pairs, write the glossary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parallel", type=Path, help="translated sentences")
    parser.add_argument("out", type=Path, help="the table")
    given = parser.parse_args()
    write(learn(read_pairs(given.parallel, "parallel")), given.out)


if __name__ == "__main__":
    main()
