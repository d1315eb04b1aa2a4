"""The doctor: what it finds, what it advises, and what it repairs."""

from __future__ import annotations

import json
import os
import stat
from types import SimpleNamespace

import pytest
from fakes import HashEmbedder

from indexer import doctor
from indexer.config import Config
from indexer.embedding.spec import SPEC_FILE, ModelSpec
from indexer.engine import open_index
from tests.trees import refuse_access


@pytest.fixture
def config(tmp_path):
    return Config(home=tmp_path / "home", device="cpu")


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    for number in range(5):
        (folder / f"f{number}.py").write_text(f"def name{number}():\n    pass\n", encoding="utf-8")
    return folder


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A folder with one small model, in place of those that are shipped."""
    folder = tmp_path / "models/tiny"
    folder.mkdir(parents=True)
    (folder / "model-00001.safetensors").write_bytes(b"weights")
    spec = ModelSpec("tiny", "decoder", "none", ("", ""), ("", ""), dims=(8,))
    spec.write(folder)
    monkeypatch.setattr("indexer.embedding.SHIPPED", tmp_path / "models")
    monkeypatch.setattr("indexer.embedding.load_embedder", lambda *arguments: HashEmbedder())
    return folder


def index(root, config, **options) -> None:
    with open_index(root, config=config, embedder=HashEmbedder()) as opened:
        opened.update(**options)


def findings(config, check=None, level=None, **options) -> list[doctor.Finding]:
    found = list(doctor.examine(config, **options))
    return [one for one in found if (check in (None, one.check)) and (level in (None, one.level))]


def only(config, check, **options) -> doctor.Finding:
    (finding,) = findings(config, check, **options)
    return finding


def test_a_fresh_machine_is_well(config, model):
    assert findings(config, level="fail") == []
    assert not config.home.exists()
    assert "nothing is indexed" in only(config, "store").message


def test_a_complete_index_is_well(config, model, root):
    index(root, config)
    assert findings(config, level="fail") + findings(config, "index", "warn") == []
    finding = only(config, "index")
    assert f"{root}: 5 functions, 5 with a vector of hash" in finding.message


def test_every_finding_that_is_not_ok_says_what_to_do(config, model, root):
    index(root, config, embed=False)
    (root / "f0.py").parent.rename(root.with_name("moved"))
    config.home.chmod(0o755)
    worse = [finding for finding in findings(config) if finding.level != "ok"]
    assert {"index", "data folder"} <= {finding.check for finding in worse}
    assert all(finding.advice for finding in worse)


def test_an_incomplete_index_names_the_command(config, model, root):
    index(root, config, embed=False)
    finding = only(config, "index")
    assert (finding.level, finding.advice) == ("warn", f"codewhere index {root} completes it.")


def test_vectors_of_another_model_than_the_one_chosen_are_told(config, model, root):
    with open_index(root, config=config, embedder=HashEmbedder(32)) as opened:
        opened.update()
    (finding,) = findings(config, "index", "warn")
    assert "hash-32" in finding.message
    assert finding.advice.startswith(f"codewhere index {root}")
    index(root, config)
    assert findings(config, "index", "warn") == []


def test_a_folder_that_is_gone_can_be_forgotten(config, model, root):
    index(root, config)
    root.rename(root.with_name("moved"))
    finding = only(config, "index")
    assert finding.level == "warn"
    assert f"gc --forget {root}" in finding.advice


def test_a_folder_that_may_not_be_opened_is_told(config, model, root, monkeypatch):
    index(root, config)
    refuse_access(monkeypatch, root)
    finding = only(config, "index")
    assert finding.level == "warn"
    assert f"{root} is not accessible (Permission denied)" in finding.message
    assert [one.check for one in findings(config, level="fail")] == []


def test_a_store_that_others_can_read_is_made_private(config, model, root):
    index(root, config)
    database = config.home / "codewhere.db"
    config.home.chmod(0o755)
    database.chmod(0o644)
    assert only(config, "data folder").level == "warn"
    assert only(config, "data folder", repair=True).level == "ok"
    assert stat.S_IMODE(config.home.stat().st_mode) == 0o700
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert "is private" in only(config, "data folder").message


@pytest.mark.parametrize(("free", "level"), [(50e6, "fail"), (500e6, "warn"), (5e9, "ok")])
def test_little_disk_space_is_told(config, model, monkeypatch, free, level):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    finding = only(config, "disk space")
    assert finding.level == level
    assert ("gc" in finding.advice) == (level != "ok")


@pytest.mark.parametrize("damage", ["change", "remove", "spec"])
def test_a_damaged_model_is_told(config, model, damage):
    if damage == "change":
        (model / "model-00001.safetensors").write_bytes(b"weightz")
    elif damage == "remove":
        (model / "model-00001.safetensors").unlink()
    else:
        (model / SPEC_FILE).write_text("{", encoding="utf-8")
    finding = only(config, "model")
    assert finding.level == "fail"
    assert "copy its folder here once more" in finding.message


def test_the_fallback_to_the_cpu_is_told(config, model):
    assert only(config, "device").level == "ok"
    finding = only(Config(home=config.home), "device")
    assert finding.level == "warn"
    assert "PyTorch" in finding.message


@pytest.mark.parametrize(("limit", "level"), [(8, "warn"), (100_000, "ok")])
def test_the_limit_of_watches_is_compared_with_the_folders(
    config, model, root, tmp_path, monkeypatch, limit, level
):
    for number in range(6):
        (root / f"d{number}").mkdir()
    (tmp_path / "max_user_watches").write_text(f"{limit}\n", encoding="ascii")
    (tmp_path / "max_user_instances").write_text("128\n", encoding="ascii")
    monkeypatch.setattr(doctor, "_INOTIFY", tmp_path)
    index(root, config)
    finding = only(config, "watching")
    assert finding.level == level
    assert "7 folders indexed" in finding.message
    assert ("max_user_watches=524288" in finding.advice) == (level == "warn")


def test_a_network_drive_is_told(config, model, root, monkeypatch):
    monkeypatch.setattr("indexer.watch.file_system_of", lambda path: "nfs4")
    index(root, config)
    assert any("nfs4" in finding.message for finding in findings(config, "watching", "warn"))


@pytest.mark.parametrize(("recall", "level"), [(1.0, "ok"), (0.97, "warn"), (0.5, "fail")])
def test_poor_recall_of_the_graph_is_told(config, model, root, monkeypatch, recall, level):
    index(root, config)
    monkeypatch.setattr("indexer.store.Store.recall", lambda *arguments: recall)
    assert only(config, "recall").level == level


def test_a_damaged_database_is_repaired_and_keeps_its_vectors(config, model, root):
    index(root, config)
    database = config.home / "codewhere.db"
    content = bytearray(database.read_bytes())
    content[20_000:24_000] = b"\xa5" * 4_000
    database.write_bytes(content)
    assert {finding.level for finding in findings(config, "store")} == {"fail"}
    repaired = findings(config, "store", repair=True)
    assert repaired[0].message.startswith("repaired: The damaged database was moved to")
    assert {finding.level for finding in repaired} == {"ok"}
    assert {finding.level for finding in findings(config, "store")} == {"ok"}


def test_one_check_that_breaks_does_not_hide_the_others(config, model, monkeypatch):
    def broken():
        raise RuntimeError("boom")

    monkeypatch.setattr(doctor, "_check_parsers", broken)
    names = [finding.check for finding in findings(config)]
    assert names.index("parsers") < names.index("device")
    assert "RuntimeError: boom" in only(config, "parsers").message


def test_a_parser_that_cannot_be_loaded_is_named(config, model, monkeypatch):
    def query(name):
        if name == "ruby":
            raise ImportError("no wheel")

    monkeypatch.setattr("indexer.languages.grammars.query", query)
    finding = only(config, "parsers")
    assert finding.level == "fail"
    assert "ruby (no wheel)" in finding.message


def test_notes_about_settings_are_findings(model, tmp_path):
    config = Config(home=tmp_path / "home", device="cpu", notes=("a line was not used",))
    assert only(config, "settings") == doctor.Finding(
        "settings", "warn", "a line was not used", "Correct or remove the line."
    )


def test_the_command_prints_findings_and_fails_where_one_fails(config, model, monkeypatch):
    from typer.testing import CliRunner

    from indexer.cli import app

    monkeypatch.setenv("CODEWHERE_HOME", str(config.home))
    result = CliRunner().invoke(app, ["doctor", "--device", "cpu"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert {line.split()[0] for line in lines} == {"ok"}
    assert any(line.startswith("ok   device: hash on cpu") for line in lines)
    (model / "model-00001.safetensors").unlink()
    result = CliRunner().invoke(app, ["doctor", "--device", "cpu", "--json"])
    assert result.exit_code == 1
    failed = [one["check"] for one in json.loads(result.stdout)["findings"] if one["level"] == "fail"]
    assert failed == ["model"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_that_cannot_be_written_to_is_told(config, model):
    config.home.mkdir()
    config.home.chmod(0o500)
    assert only(config, "data folder").level == "fail"
