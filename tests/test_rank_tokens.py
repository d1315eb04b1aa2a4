"""Text to search words."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.rank.tokens import MAX_WORD_CHARS, stem, tokenize

WORDS = [
    ("parseHTTPRequest", "pars http request parsehttprequest"),
    ("parse_http_request", "pars http request parsehttprequest"),
    ("XMLHttpRequest", "xml http request xmlhttprequest"),
    ("URLs", "url"),
    ("utf8", "utf 8 utf8"),
    ("base64_encode", "base 64 encod base64encode"),
    ("__init__", "init"),
    ("routing routes routed route", "rout rout rout rout"),
    ("caches caching cached", "cach cach cach"),
    ("queries classes matches boxes", "query class match box"),
    ("status bus this", "status bus this"),
    ("run running", "run run"),
    ("Función", "funcion"),
    ("Größe", "gross"),
    ("打开文件", "打开 开文 文件"),
    ("read文件", "read 文件"),
    ("파일을", "파일 일을"),
    ("проверка", "проверка"),
    ("ﬁle", "file"),
    ("", ""),
    ("_ - !? __", ""),
]


@pytest.mark.parametrize(("text", "words"), WORDS)
def test_text_becomes_search_words(text: str, words: str) -> None:
    assert tokenize(text) == words.split()


def test_a_run_of_data_is_one_short_word() -> None:
    assert tokenize("A" * 5000) == ["a" * MAX_WORD_CHARS]
    assert tokenize("_" * 5000) == []


@settings(deadline=None)
@given(st.text())
@example("\u0e33")
def test_words_are_lower_case_letters_and_digits(text: str) -> None:
    for word in tokenize(text):
        assert word
        assert all(letter.isalnum() for letter in word), word
        assert not any("A" <= letter <= "Z" for letter in word)


@settings(deadline=None)
@given(st.from_regex(r"[a-z]{1,12}", fullmatch=True))
def test_a_stem_keeps_three_letters_and_grows_by_one_at_most(word: str) -> None:
    assert min(len(word), 3) <= len(stem(word)) <= len(word)
