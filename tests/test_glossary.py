"""Queries in other natural languages: the shipped glossary, how one is learnt, and what search makes of it."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from functools import partial

import pytest

from indexer.config import Config
from indexer.engine import open_index
from indexer.overlay import Overlay
from indexer.parse import parse
from indexer.rank import parse_query, with_english
from indexer.rank.glossary import Gloss, gloss, halves, keys, pieces, split_words
from indexer.training.data import Pair, read_pairs
from indexer.training.mining.glossary import Alignment, Chooser, align, learn, main, rows_of_language, write
from tests.fakes import HashEmbedder
from tests.trees import write_files

ENGLISH = [
    "close the file handle",
    "parse config",
    "retry with backoff",
    "die on error",
    "format date",
    "OpenAPI schema generation",
    "OAuth2PasswordBearer",
    "model_validator",
    "instagram login python requests",
    "JWT token refresh",
    "localStorage volume",
    "serde",
    "",
    "x",
    "1234 +-*/",
    "recite verses",
]


@pytest.mark.parametrize("query", ENGLISH)
def test_what_may_be_english_or_a_name_is_left_as_it_is(query):
    assert gloss(query) == Gloss()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("Wo wird die Datei geschlossen?", {"file"}),
        ("ouvrir un fichier", {"open", "file"}),
        ("cerrar la conexión", {"close", "connection"}),
        ("закрыть файл", {"close", "file"}),
        ("zamknij plik", {"close", "file"}),
        ("如何下载文件", {"download", "file"}),
        ("파일 닫기", {"file", "close"}),
        ("إغلاق الملف", {"file"}),
        ("άνοιγμα αρχείου", {"file"}),
        ("DATEI ÖFFNEN", {"file", "open"}),
        ("Wo ist der Vorlagenordner?", {"template", "folder"}),
        ("netwerknaam wijzigen", {"network", "name"}),
    ],
)
def test_words_of_other_languages_have_english_ones(query, words):
    assert words <= set(gloss(query).words)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (
            "die  Datei `config.json` öffnen, foo_bar() 3-mal?",
            "the file `config.json` open, foo_bar() 3-time?",
        ),
        ("abc:如何下载文件 (x)", "abc:如何 download file (x)"),
        ("o\u0308ffnen Wortsalatxyz", "open Wortsalatxyz"),
    ],
)
def test_a_query_is_put_into_english_in_its_place(query, text):
    assert gloss(query).text == text


def test_a_long_or_broken_query_is_no_trouble():
    assert gloss("datei öffnen " * 5_000).words
    assert gloss("如何关闭文件" * 5_000).words
    assert gloss("\ud800 datei \x00 öffnen").words


def test_words_are_split_by_what_their_script_has_between_them():
    assert split_words("Öffne der_Datei 関数 ok") == (["offne", "der", "datei", "ok"], ["関数"])
    assert split_words("फ़ाइल खोलें")[0] and all(len(word) > 1 for word in split_words("फ़ाइल खोलें")[0])
    assert keys("tiedostot") == ["tiedostot", "tiedost*", "tiedos*"] and keys("auf") == ["auf"]
    assert keys("파일을닫") == ["파일을닫", "파일을*", "파일*"]
    assert {("vorlagen", "ordner"), ("vorlage", "ordner")} <= set(halves("vorlagenordner"))
    assert halves("datei") == [] and ("설정", "파일") in halves("설정파일")
    assert pieces("関数名") == ["関数名", "関数", "数名"]


def test_a_word_that_its_language_lacks_is_lent_by_a_related_one(tmp_path):
    dutch = [("sluiten", "nl", "close", -600), ("die", "nl", "", -500), ("bes*", "nl", "berry", -600)]
    write([("leer", "af", "file", -500), ("die", "af", "", -300), *dutch], tmp_path / "table.sqlite")
    assert gloss("sluiten die lêer", tmp_path / "table.sqlite").words == ("close", "file")


SENTENCES = [
    (["datei", "offnen"], ["open", "the", "file"]),
    (["datei", "schließen"], ["close", "the", "file"]),
    (["fenster", "offnen"], ["open", "the", "window"]),
    (["fenster", "schließen"], ["close", "the", "window"]),
] * 3


def test_a_translation_is_told_from_what_merely_stands_beside_it():
    chooser = Chooser([align(SENTENCES)])
    assert chooser.english(["datei"])[0] == "file" and chooser.english(["fenster"])[0] == "window"
    assert chooser.english(["offnen"])[0] == "open" and chooser.english(["schließen"])[0] == "close"
    assert chooser.english(["tur"]) == ()


def test_names_are_no_words_of_english():
    pairs = [Pair("stop the AnimationPlayer", "spieler anhalten", "parallel", "de", "app")] * 20
    assert {english for _, _, english, _ in rows_of_language("de", pairs)} == {"stop"}


def _alignment(**counts):
    english = Counter()
    for words in counts.values():
        english.update(words)
    return Alignment(counts, english)


def test_a_word_that_stands_for_an_article_stands_for_that_alone():
    chooser = Chooser([_alignment(die={"the": 8.0, "file": 3.0}, datei={"file": 9.0, "document": 6.0})])
    assert chooser.english(["die"]) == ("the",) and chooser.english(["datei"]) == ("file", "document")


def test_a_word_that_may_stand_for_anything_has_no_english():
    assert Chooser([_alignment(kaum={f"word{n}": 2.0 for n in range(12)})]).english(["kaum"]) == ()


def test_a_form_that_was_seldom_seen_is_judged_by_its_beginning():
    whole = _alignment(dondurun={"rotate": 1.5, "return": 1.5}, dondurur={"return": 50.0})
    beginnings = _alignment(**{"dondur*": {"return": 95.0, "rotate": 5.0}})
    assert Chooser([whole]).english(["dondurun", "dondur*"])[0] == "rotate"
    assert Chooser([whole, beginnings]).english(["dondurun", "dondur*"])[0] == "return"
    assert Chooser([whole, beginnings]).english(["dondurdu", "dondur*"]) == ("return",)


def _pairs(path, count=1_200):
    nouns = {"datei": "file", "fenster": "window", "liste": "list", "benutzer": "user", "schlüssel": "key"}
    verbs = {"öffnen": "open", "schließen": "close", "löschen": "delete", "zählen": "count"}
    rows = []
    for number in range(count):
        noun, verb = list(nouns)[number % 5], list(verbs)[number // 5 % 4]
        a, b = f"{verbs[verb]} the {nouns[noun]} {number}", f"die {noun} {verb} {number}"
        rows.append({"a": a, "b": b, "lang": "de", "source": "app", "licence": "MIT"})
    rows += [{**rows[0], "lang": "fr"}] * 10
    rows += [
        {
            "a": "This command is an alias of x",
            "b": "Aliasbefehl",
            "lang": "de",
            "source": "t",
            "licence": "MIT",
        }
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_glossary_is_learnt_from_translated_sentences(tmp_path, monkeypatch):
    source, out = _pairs(tmp_path / "parallel.jsonl"), tmp_path / "glossary.sqlite"
    monkeypatch.setattr("sys.argv", ["glossary", str(source), str(out)])
    main()
    assert gloss("wie schließen wir die datei", out) == (("close", "file"), "wie close wir the file")
    assert gloss("close the file", out) == Gloss()
    with sqlite3.connect(out) as db:
        assert db.execute("SELECT DISTINCT language FROM words ORDER BY 1").fetchall() == [("de",), ("en",)]
        assert not db.execute("SELECT 1 FROM words WHERE word = 'aliasbefehl'").fetchall()
    again = tmp_path / "again.sqlite"
    write(learn(read_pairs(source, "parallel")), again)
    assert again.read_bytes() == out.read_bytes()


def test_english_words_join_the_terms_that_the_code_has():
    query = parse_query("Datei mit HTTP öffnen")
    glossed = with_english(query, ("file", "opening"), "file with HTTP opening", ["http"])
    assert glossed.terms == ("http", "file", "open")
    assert (
        glossed.glossed_text == "file with HTTP opening Datei mit HTTP öffnen" and glossed.text == query.text
    )
    assert query.glossed_text == query.text
    assert with_english(query, ("the",), "the", []).terms == ("the",)


SOURCES = {
    "files.py": "def close_file(handle):\n    handle.flush()\n    handle.close()\n",
    "mail.py": "def send_mail(recipient):\n    connect(recipient).send()\n",
    "rechnung.py": "def rechnung(kunde):\n    return summe(kunde)\n",
    "bill.py": "def bill(client):\n    return total(client)\n",
}


def _search(tmp_path, query, embedder=None, buffers=None):
    root = write_files(tmp_path / "root", SOURCES)
    config = Config(home=tmp_path / "home")
    overlay = Overlay({path: parse(path, text.encode()) for path, text in (buffers or {}).items()})
    with open_index(root, config=config, embedder=embedder or HashEmbedder()) as index:
        index.update(embed=embedder is not None)
        return index.search(query, overlay=overlay)


def test_words_alone_answer_in_another_language(tmp_path):
    answer = _search(tmp_path, "Datei schließen")
    assert answer.results[0].function.symbol == "close_file"


def test_a_name_of_the_code_is_asked_for_whatever_it_means(tmp_path):
    assert _search(tmp_path, "Rechnung").results[0].function.symbol == "rechnung"


@pytest.mark.parametrize("content", [None, b"", b"no table at all" * 400])
def test_without_a_glossary_the_query_is_asked_as_it_is(tmp_path, monkeypatch, content):
    broken = tmp_path / "broken.sqlite"
    if content is not None:
        broken.write_bytes(content)
    monkeypatch.setattr("indexer.search.gloss", partial(gloss, path=broken))
    answer = _search(tmp_path, "Datei close", HashEmbedder())
    assert answer.results[0].function.symbol == "close_file"
    assert any("install codewhere again" in note for note in answer.notes)


def test_words_that_were_only_typed_yet_are_words_of_the_code(tmp_path):
    buffers = {"neu.py": "def speicherort_prüfen(ablage):\n    return ablage.ort\n"}
    assert gloss("Wo wird die Ablage der Datei geprüft?").words
    answer = _search(tmp_path, "Wo wird die Ablage der Datei geprüft?", buffers=buffers)
    assert "speicherort_prüfen" in [result.function.symbol for result in answer.results]


@pytest.mark.parametrize("reads", [True, False])
def test_only_models_that_gain_by_it_are_asked_in_english(tmp_path, reads):
    class Listening(HashEmbedder):
        reads_glosses = reads

        def encode_queries(self, texts):
            self.asked = list(texts)
            return super().encode_queries(texts)

    embedder = Listening()
    _search(tmp_path, "Datei schließen", embedder)
    assert embedder.asked == ["file close Datei schließen" if reads else "Datei schließen"]
