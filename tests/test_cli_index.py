"""The commands that keep an index: index, status and gc."""

from __future__ import annotations

import json

from tests.commands import embedder as embedder
from tests.commands import found, run
from tests.commands import home as home
from tests.commands import indexed as indexed
from tests.commands import root as root
from tests.trees import refuse_access


def test_index_prints_a_summary_with_what_was_skipped(root):
    result = run("index", root)
    first, *rest = result.stdout.splitlines()
    assert first.startswith("4 files, 4 parsed, 4 functions, 4 embedded, 0 reused in ")
    assert "  skipped 1 file, binary (logo.png)" in rest
    assert "No GPU in use" in result.stderr


def test_index_says_nothing_about_the_cpu_where_it_was_asked_for(root):
    assert "GPU" not in run("index", root, "--device", "cpu").stderr


def test_a_second_index_embeds_nothing(indexed, embedder):
    n_before = embedder.encoded
    report = json.loads(run("index", indexed, "--json").stdout)
    assert (report["root"], report["files"], report["parsed"], report["embedded"]) == (str(indexed), 4, 0, 0)
    assert embedder.encoded == n_before


def test_index_json_reports_skipped_files(root):
    report = json.loads(run("index", root, "--json").stdout)
    assert report["skipped"] == [{"path": "logo.png", "reason": "binary"}]
    assert report["cancelled"] is False


def test_index_by_words_needs_no_model(root, monkeypatch):
    monkeypatch.setattr("indexer.embedding.load_embedder", None)
    report = json.loads(run("index", root, "--words", "--json").stdout)
    assert (report["functions"], report["embedded"]) == (4, 0)
    assert found("retry backoff", root, "--words")[0] == "net/retry.py"


def test_status_of_all_roots_and_of_one(indexed):
    value = json.loads(run("status", "--json").stdout)
    assert [root["root"] for root in value["roots"]] == [str(indexed)]
    assert (value["roots"][0]["functions"], value["roots"][0]["coverage"]) == (4, 1.0)
    lines = run("status").stdout.splitlines()
    assert lines[0].split() == ["FUNCTIONS", "EMBEDDED", "MODEL", "DISK", "UPDATED", "FOLDER"]
    assert lines[1].split()[:3] == ["4", "4", "hash"]
    assert "functions  4, 4 embedded (100 %)" in run("status", indexed / "net").stdout


def test_status_without_any_index_says_what_to_do():
    assert "codewhere index" in run("status").stderr
    assert json.loads(run("status", "--json").stdout)["roots"] == []


def test_a_root_whose_folder_is_gone_is_shown_and_forgotten(indexed):
    indexed.rename(indexed.with_name("moved"))
    assert "folder is gone" in run("status").stdout
    assert "1 root" not in run("gc").stdout
    assert "Removed 1 root," in run("gc", "--forget", indexed, "--grace-days", 0).stdout
    assert json.loads(run("status", "--json").stdout)["roots"] == []


def test_a_root_whose_folder_may_not_be_opened_stops_nothing(indexed, monkeypatch):
    refuse_access(monkeypatch, indexed)
    assert "folder is not accessible (Permission denied)" in run("status").stdout
    assert "Removed 0 roots," in run("gc", "--grace-days", 0).stdout
    assert "Removed 0 roots," in run("gc", "--grace-days", 0).stdout


def test_gc_frees_what_no_root_uses(indexed):
    report = json.loads(run("gc", "--json").stdout)
    assert report["vectors"] == 0
    (indexed / "net/retry.py").unlink()
    run("index", indexed)
    assert json.loads(run("gc", "--json").stdout)["vectors"] == 0
    assert json.loads(run("gc", "--json", "--grace-days", 0).stdout)["vectors"] == 1
    assert run("gc").stdout.startswith("Removed 0 roots, 0 functions, 0 vectors; ")
