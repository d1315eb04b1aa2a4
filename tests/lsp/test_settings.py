"""What a client may set and ask, and what it is told when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.types import SearchFilters
from lsp_server.params import MAX_QUERY_CHARS, read_search, read_similar
from lsp_server.settings import FolderSettings, Settings, read_settings
from lsp_server.workspaces import Root, Workspaces


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, Settings()),
        ({}, Settings()),
        ({"limit": 5, "model": "base"}, Settings(limit=5, model="base")),
        ({"limit": 5.0}, Settings(limit=5)),
        ({"hover": {"enabled": False, "threshold": 0.5}}, Settings(hover=False, hover_threshold=0.5)),
        (
            {"codeLens.enabled": True, "codeLens": {"threshold": 1}},
            Settings(code_lens=True, code_lens_threshold=1),
        ),
        ({"device": None, "exclude": ["*.gen.py"]}, Settings(exclude=("*.gen.py",))),
        (
            {"folders": {"file:///a": {"includeText": False, "exclude": []}, "file:///b": {}}},
            Settings(folders={"file:///a": FolderSettings(include_text=False, exclude=())}),
        ),
    ],
)
def test_good_settings_are_taken(raw, expected):
    assert read_settings(raw) == (expected, [], [])


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"limit": 0}, "codewhere.limit: a whole number from 1 to 200"),
        ({"limit": "many"}, "codewhere.limit: a whole number"),
        ({"limit": True}, "codewhere.limit: a whole number"),
        ({"model": ""}, "codewhere.model: a text that is not empty"),
        ({"exclude": "*.py"}, "codewhere.exclude: a list of texts"),
        ({"hover": {"threshold": 2}}, "codewhere.hover.threshold: a number from 0 to 1"),
        ({"codeLens": {"enabled": "yes"}}, "codewhere.codeLens.enabled: true or false"),
        ({"folders": ["file:///a"]}, "codewhere.folders: an object of objects"),
        ({"folders": {"file:///a": 3}}, "codewhere.folders: an object of objects"),
        ("fast", "must be an object"),
    ],
)
def test_a_wrong_setting_falls_back_and_is_told(raw, words):
    settings, problems, unknown = read_settings(raw)
    assert settings == Settings()
    assert len(problems) == 1 and words in problems[0]
    assert not unknown


def test_one_wrong_setting_leaves_the_others_alone():
    assert read_settings({"limit": -1, "noTests": True})[0] == Settings(no_tests=True)


def test_a_wrong_setting_of_a_folder_is_told_with_the_folder():
    settings, problems, unknown = read_settings(
        {"folders": {"file:///a": {"maxFileBytes": 1, "model": "base"}}}
    )
    assert settings == Settings()
    assert problems[0].startswith("file:///a: codewhere.maxFileBytes: a whole number of at least 1000")
    assert "file:///a: Unknown setting codewhere.model" in unknown[0]


def test_a_folder_has_settings_of_its_own(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "two" / ".codewhere.toml").write_text("include_text = false\n")
    workspaces = Workspaces(lambda: pytest.fail("no model is needed"), tmp_path / "home")
    own = {"exclude": ["*.gen.py"], "maxFileBytes": 5000}
    raw = {"exclude": ["*.md"], "maxFileBytes": 9000, "folders": {(tmp_path / "one").as_uri(): own}}
    workspaces.settings = read_settings(raw)[0]
    one, two = (workspaces.config(tmp_path / name) for name in ("one", "two"))
    assert (one.exclude, one.max_file_bytes, one.include_text) == (("*.gen.py",), 5000, True)
    assert (two.exclude, two.max_file_bytes, two.include_text) == (("*.md",), 9000, False)


def test_unknown_settings_are_for_the_log():
    settings, problems, unknown = read_settings({"limt": 3})
    assert (settings, problems) == (Settings(), [])
    assert "codewhere.limt" in unknown[0]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (None, "an object is expected"),
        ({}, "'query' is missing"),
        ({"query": None}, "'query' is missing"),
        ({"query": 3}, "query: a text is expected"),
        ({"query": "x" * (MAX_QUERY_CHARS + 1)}, "query: a text of at most"),
        ({"query": "x", "limit": 201}, "limit: a whole number from 1 to 200"),
        ({"query": "x", "filter": {}}, "unknown field 'filter'; known fields: query, limit, filters"),
        ({"query": "x", "filters": {"kinds": ["klass"]}}, "filters: kinds: 'klass' is not one of function"),
        ({"query": "x", "filters": {"noTests": 1}}, "filters: noTests: true or false"),
        ({"query": "x", "roots": "file:///a"}, "roots: a list of texts"),
        ({"query": "x", "partialResultToken": {}}, "partialResultToken: a text or a whole number"),
    ],
)
def test_a_wrong_search_names_the_field(raw, words):
    with pytest.raises(ValueError, match=words):
        read_search(raw)


def test_an_empty_list_is_an_empty_object_because_lua_has_but_one():
    assert read_search({"query": "x", "filters": []}).filters == SearchFilters()
    assert read_settings([])[1:] == ([], [])


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({}, "exactly one of position, range and text"),
        ({"position": {"line": 1, "character": 0}}, "'textDocument' is missing"),
        ({"textDocument": {"uri": "file:///a"}}, "exactly one of"),
        ({"textDocument": {}, "text": "x"}, "textDocument: the field 'uri' is missing"),
        (
            {"textDocument": {"uri": "f"}, "position": {"line": -1, "character": 0}},
            "position: line: a whole number",
        ),
        (
            {"textDocument": {"uri": "f"}, "range": {"start": {"line": 0}}},
            "range: start: the field 'character'",
        ),
    ],
)
def test_a_wrong_similar_names_the_field(raw, words):
    with pytest.raises(ValueError, match=words):
        read_similar(raw)


def test_files_of_a_whole_disk_have_uris_of_files():
    disk = Root("file:///", "disk", Path("/"), lambda path: pytest.fail("no index is needed"))
    assert disk.file_uri("etc/a b.py") == "file:///etc/a%20b.py"
    folder = Root("file:///etc/", "etc", Path("/etc"), lambda path: pytest.fail("no index is needed"))
    assert folder.file_uri("a.py") == "file:///etc/a.py"
