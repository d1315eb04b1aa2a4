"""Settings: where they come from, which one wins, and what a stranger's repository may not do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer.config import ROOT_FILE, USER_FILE, load_config
from indexer.errors import UserError


@pytest.fixture(autouse=True)
def user_folder(tmp_path, monkeypatch):
    """Points the user's settings at an empty folder and clears the environment."""
    for name in list(os.environ):
        if name.startswith("CODEWHERE_"):
            monkeypatch.delenv(name)
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setattr("indexer.config.platformdirs.user_config_path", lambda name: folder)
    return folder


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_defaults_need_no_file():
    config = load_config()
    assert (config.model, config.device, config.limit, config.exclude, config.notes) == (
        "auto",
        None,
        10,
        (),
        (),
    )
    assert config.home.is_absolute()


def test_a_later_source_wins(user_folder, root, monkeypatch):
    write(user_folder, USER_FILE, 'model = "base"\nlimit = 5\nmax_file_bytes = 1000\n')
    assert load_config(root).limit == 5
    write(root, ROOT_FILE, "max_file_bytes = 2000\n")
    assert load_config(root).max_file_bytes == 2000
    monkeypatch.setenv("CODEWHERE_MAX_FILE_BYTES", "3000")
    assert load_config(root).max_file_bytes == 3000
    config = load_config(root, max_file_bytes=4000, model=None)
    assert (config.max_file_bytes, config.model, config.limit) == (4000, "base", 5)


def test_excludes_of_all_sources_count_together(user_folder, root, monkeypatch):
    write(user_folder, USER_FILE, 'exclude = ["a/", "b"]')
    write(root, ROOT_FILE, 'exclude = ["b", "c"]')
    monkeypatch.setenv("CODEWHERE_EXCLUDE", os.pathsep.join(["d", " e "]))
    assert load_config(root).exclude == ("a/", "b", "c", "d", "e")


def test_the_environment_names_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("CODEWHERE_HOME", str(tmp_path / "store"))
    assert load_config().home == tmp_path / "store"
    monkeypatch.setenv("CODEWHERE_HOME", "~/store")
    assert load_config().home == Path("~/store").expanduser()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("modle = 'x'", "Unknown setting 'modle'"),
        ("limit = 0", "Wrong value 0 for 'limit'"),
        ("limit = true", "Wrong value True for 'limit'"),
        ("limit = 1.5", "Wrong value 1.5 for 'limit'"),
        ("include_text = 'perhaps'", "true or false"),
        ("exclude = [1]", "a list of globs"),
        ("model = ' '", "not empty"),
        ("dtype = 'int4'", "one of auto, int8, bf16"),
        ("home = 'relative/folder'", "Write the whole path"),
        ("limit = ", "Cannot read the settings"),
    ],
)
def test_a_wrong_user_file_is_an_error_that_names_it(user_folder, text, expected):
    write(user_folder, USER_FILE, text)
    with pytest.raises(UserError, match=expected.replace("(", r"\(")) as caught:
        load_config()
    assert str(user_folder) in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [("CODEWHERE_LIMIT", "many"), ("CODEWHERE_INCLUDE_TEXT", "2")])
def test_a_wrong_environment_is_an_error(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="the environment"):
        load_config()


@pytest.mark.parametrize("word", ["1", "true", "Yes", "on"])
def test_switches_read_words(monkeypatch, word):
    monkeypatch.setenv("CODEWHERE_INCLUDE_TEXT", word)
    assert load_config().include_text is True


@pytest.mark.parametrize(
    "line",
    [
        "model = '/evil'",
        "device = 'cuda'",
        "home = '/evil'",
        "store = 'milvus://evil'",
        "threads = 64",
        "x = 1",
    ],
)
def test_a_repository_may_not_choose_what_runs_or_where_data_goes(root, line):
    write(root, ROOT_FILE, f"{line}\nexclude = ['gen/']\n")
    config = load_config(root)
    assert config == load_config(None, exclude=["gen/"])
    assert len(config.notes) == 1
    assert line.split()[0] in config.notes[0]


def test_a_remote_store_is_refused_as_nothing_would_be_kept_there():
    with pytest.raises(UserError, match="this machine alone, so milvus://team cannot be used"):
        load_config(store="milvus://team")


@pytest.mark.parametrize("text", ["max_file_bytes = -1", "not toml at all [", "exclude = 3", "\x00"])
def test_a_broken_repository_file_is_told_and_left_out(root, text):
    write(root, ROOT_FILE, text)
    config = load_config(root)
    assert config == load_config()
    assert len(config.notes) == 1


def test_a_repository_cannot_raise_the_size_cap_without_bound(root):
    write(root, ROOT_FILE, f"max_file_bytes = {10**12}")
    config = load_config(root)
    assert config.max_file_bytes == 64_000_000
    assert "cut" in config.notes[0]


@pytest.mark.parametrize(
    "make", [lambda path, other: path.symlink_to(other), lambda path, other: os.mkfifo(path)]
)
def test_only_a_regular_file_of_the_repository_is_read(root, tmp_path, make):
    other = tmp_path / "other.toml"
    other.write_text("max_file_bytes = 5", encoding="utf-8")
    make(root / ROOT_FILE, other)
    config = load_config(root)
    assert config.max_file_bytes == 2_000_000
    assert "regular file" in config.notes[0]


def test_a_huge_repository_file_is_not_read(root):
    write(root, ROOT_FILE, "#" * 70_000)
    assert "larger than" in load_config(root).notes[0]


def test_files_that_begin_with_a_byte_order_mark_are_read(user_folder, root):
    (user_folder / USER_FILE).write_bytes(b"\xef\xbb\xbflimit = 7\n")
    (root / ROOT_FILE).write_bytes(b'\xef\xbb\xbfexclude = ["*.sql"]\n')
    config = load_config(root)
    assert (config.limit, config.exclude, config.notes) == (7, ("*.sql",), ())


def test_a_repository_file_of_deep_lists_is_told_and_left_out(root):
    write(root, ROOT_FILE, "exclude = " + "[" * 30_000)
    assert "too deep" in load_config(root).notes[0]


@pytest.mark.parametrize("name", ["limit", "max_file_bytes"])
def test_a_number_that_the_system_cannot_take_is_an_error(monkeypatch, name):
    monkeypatch.setenv(f"CODEWHERE_{name.upper()}", "9" * 30)
    with pytest.raises(UserError, match="up to 1,000,000,000,000,000"):
        load_config()


@pytest.mark.parametrize("name", ["exclude", "include_text", "max_file_bytes"])
def test_a_repository_may_write_numbers_that_python_cannot(root, name):
    write(root, ROOT_FILE, f"{name} = 0x{'f' * 50_000}")
    (note,) = load_config(root).notes
    assert len(note) < 300
