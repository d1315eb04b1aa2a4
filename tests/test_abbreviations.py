from __future__ import annotations

import pytest

from indexer.config import Config
from indexer.engine import open_index
from indexer.rank.query import parse_query
from indexer.store.abbreviations import candidates
from tests.fakes import HashEmbedder


@pytest.mark.parametrize(
    ("word", "short"),
    [
        ("configuration", "cfg"),
        ("message", "msg"),
        ("context", "ctx"),
        ("temporary", "tmp"),
        ("directory", "dir"),
        ("database", "db"),
        ("index", "idx"),
        ("authentication", "auth"),
    ],
)
def test_words_are_abbreviated_to_their_beginning_or_to_consonants(word, short):
    assert short in candidates(word)
    assert word not in candidates(word)
    assert all(one[0] == word[0] and len(one) >= 2 for one in candidates(word))


@pytest.fixture
def index(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    both = "".join(
        f"def load_{n}(cfg):\n    # the configuration\n    return cfg.get({n})\n\n" for n in range(4)
    )
    short = "".join(f"def apply_{n}(cfg):\n    return cfg.value({n})\n\n" for n in range(4))
    others = "".join(f"def paint_{n}(canvas):\n    return canvas.fill({n})\n\n" for n in range(30))
    (root / "a.py").write_text(both + short + others, encoding="utf-8")
    with open_index(root, config=Config(home=tmp_path / "home"), embedder=HashEmbedder()) as index:
        index.update(embed=False)
        yield index


def test_what_the_code_abbreviates_is_found_by_the_whole_word(index):
    found = index.search("apply a configuration", limit=10, dense=False).results
    assert {f"apply_{n}" for n in range(4)} <= {result.function.symbol for result in found}
    assert "cfg" in found[0].why.terms


def test_a_name_is_searched_as_it_is_written(index):
    found = index.search("configuration", limit=20, dense=False).results
    assert {result.function.symbol for result in found} <= {f"load_{n}" for n in range(4)}


def test_a_word_that_is_hardly_ever_near_it_is_no_abbreviation(index):
    root = index._store.indexed_root(str(index.root))
    known = index._store.abbreviations(root, ("configuration", "canvas", "cfg"))
    assert known == {"configuration": ("cfg",)}


def test_abbreviations_widen_the_search_but_not_the_terms():
    query = parse_query("load the configuration")
    assert query.words == query.terms == ("load", "configuration")
