"""A running process that answers for commands: the same answers, only to the same user, never in the way."""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import replace

import pytest

from indexer import answering
from indexer.answering import AnswerServer, ask
from indexer.config import Config
from indexer.errors import UserError
from indexer.types import Answer, Function, SearchFilters, SearchResult, Why

FILTERS = SearchFilters(languages=("python",), paths=("/net/",), no_tests=True)
FUNCTION = Function(
    "a\udcff.py", "python", "function", "näme", 1, 20, 0, 2, "doc", "def f():", "def f():\n\tpass\x1b"
)
ANSWER = Answer(
    "where",
    0.5,
    12.5,
    (SearchResult("/root", FUNCTION, 0.75, Why(1, 2, ("a", "b"), {"definition": 0.25}, ((3, 5),)), "test"),),
    ("A note.",),
)


class FakeIndex:
    """Gives one answer and remembers what it was asked."""

    def __init__(self, config) -> None:
        self.config = config
        self.calls: list[object] = []

    def search(self, query, **options):
        self.calls.append((query, options))
        if query == "bad":
            raise UserError("an empty query")
        if query == "bug":
            raise ValueError("a bug")
        return ANSWER

    def similar(self, path, line, **options):
        self.calls.append((path, line, options))
        return ANSWER


@pytest.fixture
def config(tmp_path):
    (tmp_path / "home").mkdir(mode=0o700)
    return Config(home=tmp_path / "home")


@pytest.fixture
def index(config):
    return FakeIndex(config)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def server(index, config, root):
    with AnswerServer(config.home, lambda path: index if path == root else None) as running:
        yield running


def search(config, root, query="where"):
    return ask(config, root, "search", query=query, limit=3, filters=FILTERS, explain=True, dense=True)


def test_an_answer_comes_over_as_it_is(server, index, config, root):
    assert search(config, root) == ANSWER
    assert index.calls == [("where", {"limit": 3, "filters": FILTERS, "explain": True, "dense": True})]


def test_similar_is_answered_too(server, index, config, root):
    assert ask(config, root, "similar", path="a.py", line=4, limit=3, filters=FILTERS) == ANSWER
    assert index.calls == [("a.py", 4, {"limit": 3, "filters": FILTERS})]


def test_an_error_for_the_person_comes_over(server, config, root):
    with pytest.raises(UserError, match="an empty query"):
        search(config, root, "bad")


def test_a_bug_in_the_server_leaves_the_command_to_itself(server, config, root):
    assert search(config, root, "bug") is None
    assert search(config, root) == ANSWER


@pytest.mark.parametrize(
    "change", [{"model": "base"}, {"dim": 128}, {"device": "cpu"}, {"store": "milvus://x"}]
)
def test_a_process_with_other_settings_does_not_answer(server, config, root, change):
    assert search(replace(config, **change), root) is None
    assert search(replace(config, limit=99), root) == ANSWER


def test_a_root_that_is_not_served_is_left_to_the_command(server, config, tmp_path):
    assert search(config, tmp_path / "other") is None


def test_without_a_running_process_there_is_no_answer(config, root):
    assert search(config, root) is None


def test_the_socket_is_private_and_goes_with_the_process(index, config, root):
    with AnswerServer(config.home, lambda path: index):
        (path,) = (config.home / "run").iterdir()
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list((config.home / "run").iterdir()) == []


def test_a_folder_that_others_can_enter_is_not_used(index, config, root):
    (config.home / "run").mkdir(mode=0o755)
    with AnswerServer(config.home, lambda path: index):
        assert search(config, root) is None
    assert index.calls == []


def test_another_user_is_not_answered(server, config, root, monkeypatch):
    uid = os.getuid()
    monkeypatch.setattr(answering, "_check_private", lambda folder: None)
    monkeypatch.setattr(answering.os, "getuid", lambda: uid + 1)
    assert search(config, root) is None


def test_what_a_killed_process_left_is_removed(config, root):
    folder = config.home / "run"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "1.sock"))
    assert search(config, root) is None
    assert list(folder.iterdir()) == []


def test_a_process_that_hangs_holds_nobody_up(config, root, monkeypatch):
    monkeypatch.setattr(answering, "_ANSWER_S", 0.2)
    folder = config.home / "run"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(folder / "1.sock"))
        silent.listen()
        start = time.monotonic()
        assert search(config, root) is None
        assert time.monotonic() - start < 2


@pytest.mark.parametrize("reply", [b"", b"not json\n", b"[1]\n", b'{"answer": 3}\n'])
def test_a_broken_reply_is_no_answer(config, root, reply):
    folder = config.home / "run"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as broken:
        broken.bind(str(folder / "1.sock"))
        broken.listen()

        def respond():
            connection, _ = broken.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(reply)

        thread = threading.Thread(target=respond)
        thread.start()
        assert search(config, root) is None
        thread.join()


@pytest.mark.parametrize("request_", [b"", b"\n", b"{}\n", b"nonsense\n", b'{"root": 3}\n'])
def test_a_broken_request_does_not_end_the_server(server, config, root, request_):
    (path,) = (config.home / "run").iterdir()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(request_)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(100)
    assert search(config, root) == ANSWER


def test_a_path_too_long_for_a_socket_is_no_error(index, tmp_path, root):
    config = Config(home=tmp_path / ("x" * 120))
    config.home.mkdir(mode=0o700)
    with AnswerServer(config.home, lambda path: index):
        assert search(config, root) is None
