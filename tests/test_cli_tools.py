"""The commands beside the search: models, bench, mine, and the tools with options of their own."""

from __future__ import annotations

import json

import pytest

from indexer.bench.beside import _asked
from indexer.embedding.spec import ModelSpec
from indexer.errors import UserError
from tests.commands import embedder as embedder
from tests.commands import home as home
from tests.commands import indexed as indexed
from tests.commands import root as root
from tests.commands import run


def test_models_lists_what_is_shipped(tmp_path, monkeypatch):
    folder = tmp_path / "models/tiny"
    folder.mkdir(parents=True)
    (folder / "model-00001.safetensors").write_bytes(b"w" * 1000)
    ModelSpec("tiny", "decoder", "backbone/x", ("", ""), ("", ""), dims=(16, 8), licence="Apache-2.0").write(
        folder
    )
    monkeypatch.setattr("indexer.embedding.SHIPPED", tmp_path / "models")
    lines = run("models").stdout.splitlines()
    assert lines[0].split() == ["NAME", "DIMENSIONS", "TOKENS", "DISK", "LICENCE", "BACKBONE"]
    assert lines[1].split()[:4] == ["tiny", "16,", "8", "256"]
    (model,) = json.loads(run("models", "--json").stdout)["models"]
    assert (model["name"], model["dims"], model["licence"]) == ("tiny", [16, 8], "Apache-2.0")


def test_bench_measures_every_stage_and_leaves_nothing(root, home, tmp_path):
    written = tmp_path / "figures.json"
    figures = json.loads(run("bench", root, "--json", "--output", written).stdout)
    assert json.loads(written.read_text()) == figures
    assert (figures["files"], figures["index"]["functions"]) == (4, 4)
    assert figures["model"] == {"name": "hash", "dimensions": 64, "device": "cpu"}
    assert figures["graph"]["recall_at_10"] == 1.0
    positive = (
        figures["parse_mb_a_second_a_core"],
        figures["first_answer"]["words_s"],
        figures["embedding"]["windows_a_second"],
        figures["disk_bytes_a_function"],
        figures["peak_memory_bytes"],
        *(figures["queries"][kind]["p99_ms"] for kind in ("words", "words_and_vectors", "while_indexing")),
        figures["queries"]["cold_process_s"]["p50"],
    )
    assert all(value > 0 for value in positive)
    assert not home.exists()
    assert "MB/s a core" in run("bench", root).stdout


def test_bench_compares_with_the_same_weights_in_sentence_transformers(root, model_folder, monkeypatch):
    monkeypatch.undo()
    figures = json.loads(run("bench", root, "--json", "--model", model_folder, "--beside", "same").stdout)
    ours, theirs = figures["beside"]
    assert (ours["name"], theirs["name"]) == ("tiny", "tiny, the same weights in sentence-transformers")
    assert 0 < figures["embedding"]["peak_share"] < 1
    plot = run("bench", root, "--model", model_folder, "--beside", "same").stdout.splitlines()[-2:]
    assert all("█" in line and "functions/s" in line for line in plot)


def test_bench_of_an_empty_folder_is_told(tmp_path, embedder):
    (tmp_path / "empty").mkdir()
    assert "nothing to index" in run("bench", tmp_path / "empty", status=2).stderr


def test_mine_reports_what_it_took(root, tmp_path):
    (root / "LICENSE").write_text(
        "MIT License\n\nPermission is hereby granted, free of charge", encoding="utf-8"
    )
    out = tmp_path / "pairs.jsonl"
    report = json.loads(run("mine", root, "--out", out, "--licence", "MIT", "--json").stdout)
    assert report["files"] >= 1
    assert out.exists()
    assert f"in {out}" in run("mine", root, "--out", out, "--licence", "MIT").stdout


def test_mine_leaves_earlier_pairs_where_it_finds_none(root, tmp_path):
    out = tmp_path / "pairs.jsonl"
    out.write_text("of an hour's work\n", encoding="utf-8")
    assert "Dropped: 1 no permissive licence found" in run("mine", root, "--out", out, status=2).stderr
    assert out.read_text(encoding="utf-8") == "of an hour's work\n"


@pytest.mark.parametrize("name", ["lsp", "evaluate"])
def test_a_tool_gets_its_own_arguments(monkeypatch, name):
    seen = []
    module = {"lsp": "lsp_server", "evaluate": "indexer.evaluation"}[name]
    monkeypatch.setattr(f"{module}.main", lambda arguments: seen.extend(arguments) or 3)
    run(name, "--help", "x", "--port", "7", status=3)
    assert seen == ["--help", "x", "--port", "7"]


def test_a_tool_without_its_extra_says_what_to_install(monkeypatch):
    def main(arguments):
        raise ModuleNotFoundError("No module named 'mteb'", name="mteb")

    monkeypatch.setattr("indexer.evaluation.main", main)
    assert "pip install 'codewhere[evaluate]'" in run("evaluate", status=2).stderr


def test_the_other_models_import_nothing_from_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for module in ("sentence_transformers", "indexer"):
        (tmp_path / f"{module}.py").write_text("open('imported', 'w').close()\n", encoding="utf-8")
    with pytest.raises(UserError, match="nothing-here"), _asked(str(tmp_path / "nothing-here"), "cpu"):
        pass
    assert not (tmp_path / "imported").exists()


def test_a_model_that_sentence_transformers_cannot_run_is_named(tmp_path):
    with pytest.raises(UserError, match="nothing-here"), _asked(str(tmp_path / "nothing-here"), "cpu"):
        pass
