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
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indexer.rank.glossary import BEGINNINGS, HANGUL_BEGINNINGS, SPACELESS, keys, pieces, split_words
from indexer.rank.query import is_filler
from indexer.training.data import Pair, read_pairs

ROUNDS = 6
LEAST_PAIRS = 1_000
"""Sentences of a language below which it is left out: too few to know it by."""
LEAST_COUNT = 1.5
"""Expected times that a word was translated so, below which it says too little."""
LEAST_SCORE = 0.2
"""Geometric mean of how probable the English word is given the other, and the other given the English one."""
LEAST_SHARE = 0.6
"""Of the best English word's score that a second one needs."""
MOST_ENGLISH = 2
OFTEN = 10
"""Times that a word without translation occurs which still tells its language."""
UNSEEN = 30_000
"""Words added to what was seen of a language, so that one with few sentences does not know its few words too well."""

Numbers = npt.NDArray[np.int64]
Sentence = tuple[list[str], list[str]]
"""Keys of the words in the other language, and the English words."""


class Translation(NamedTuple):
    """One word and its English, as far as the sentences tell."""

    key: str
    english: str
    score: float


def translations(sentences: Sequence[Sentence]) -> Iterator[Translation]:
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
        counts = np.bincount(of_pair, weight / np.bincount(of_place, weight)[of_place])
        share = counts / np.bincount(left, counts)[left]
    back = counts / np.bincount(right, counts)[right]
    names, words = list(others), list(englishes)
    for number in np.flatnonzero((counts >= LEAST_COUNT) & (left != others[""])):
        score = math.sqrt(share[number] * back[number])
        yield Translation(names[left[number]], words[right[number]], score)


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


def best(found: Iterable[Translation]) -> dict[str, tuple[str, ...]]:
    """The English words to search by, of each key; a second one where it is nearly as good.

    None for a key that stands for one of the words that say nothing, as articles do.
    """
    by_key: dict[str, list[Translation]] = defaultdict(list)
    for translation in found:
        by_key[translation.key].append(translation)
    chosen = {}
    for key, options in by_key.items():
        options.sort(key=lambda option: (-option.score, option.english))
        least = max(LEAST_SCORE, LEAST_SHARE * options[0].score)
        near = [option.english for option in options[:MOST_ENGLISH] if option.score >= least]
        chosen[key] = tuple(near) if not any(map(is_filler, near)) else ()
    return {key: english for key, english in chosen.items() if english}


Row = tuple[str, str, str, int]
"""Word, language, English words, 100 times the logarithm of how often."""


def rows_of_language(language: str, pairs: Sequence[Pair]) -> Iterator[Row]:
    """What the glossary holds of one language.

    Whole words and their beginnings of each length are learnt apart, so that they do not share what they explain.
    """
    english = [split_words(pair.query)[0] for pair in pairs]
    split = [split_words(pair.code) for pair in pairs]
    spaced = [[key for word in words for key in keys(word)] for words, _ in split]
    lengths = (0, *BEGINNINGS, *HANGUL_BEGINNINGS)
    levels = [[[key for key in words if _length(key) == length] for words in spaced] for length in lengths]
    levels.append([[part for run in runs for part in pieces(run)] for _, runs in split])
    total = sum(len(words) + sum(map(len, runs)) for words, runs in split)
    for texts in levels:
        known = best(translations(list(zip(texts, english, strict=True)))) if any(texts) else {}
        for key, count in Counter(key for text in texts for key in text).items():
            # A piece of a run that means nothing would only keep its neighbours from being found.
            if key in known or (count >= OFTEN and not SPACELESS.match(key)):
                yield key, language, " ".join(known.get(key, ())), _often(count, total)


def _length(key: str) -> int:
    """Letters of a beginning; 0 for a whole word."""
    return len(key) - 1 if key.endswith("*") else 0


def rows_of_english(texts: Iterable[str]) -> Iterator[Row]:
    """The words of English, by which it is told from other languages."""
    words = [word for text in sorted(set(texts)) for word in split_words(text)[0]]
    counts = Counter(key for word in words for key in keys(word))
    return ((key, "en", "", _often(count, len(words))) for key, count in counts.items())


def _often(count: int, total: int) -> int:
    return round(100 * math.log(count / (total + UNSEEN)))


def is_usable(pair: Pair) -> bool:
    """Not one of the sentences that tldr repeats on thousands of pages, in every language."""
    return not pair.query.startswith("This command is an alias")


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
