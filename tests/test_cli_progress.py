"""The progress of an update, on a terminal and in a log, and how Ctrl-C ends it."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import pytest

from indexer.commands import progress as module
from indexer.commands.common import EmbedderLoader, Interruption
from indexer.commands.progress import ProgressDisplay
from indexer.config import load_config
from indexer.types import Progress


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def make_loader(device="cuda", fell_back=False):
    return SimpleNamespace(device=device, fell_back=fell_back)


def test_a_log_gets_a_line_now_and_then(capsys):
    clock = Clock()
    with ProgressDisplay(make_loader(), clock) as display:
        display(Progress("walk", 10, 0))
        display(Progress("embed", 0, 5000))
        clock.now = 10
        display(Progress("embed", 1000, 5000))
        clock.now = 40
        display(Progress("embed", 4000, 5000, "cuda"))
        clock.now = 45
        display(Progress("embed", 5000, 5000))
    assert capsys.readouterr().err == "embedding 4,000 of 5,000 functions, 100/s, on cuda\n"


def test_waiting_for_another_process_is_told_at_once(capsys):
    with ProgressDisplay(make_loader()) as display:
        display(Progress("wait", 0, 0, "/src is being indexed by process 7\x1b[0m"))
    assert capsys.readouterr().err == "/src is being indexed by process 7\\x1b[0m\n"


@pytest.mark.parametrize(
    ("updates", "n_lines"),
    [
        ([Progress("embed", 0, 10), Progress("embed", 10, 10), Progress("finish", 0, 0)], 1),
        ([Progress("embed", 0, 0)], 0),
        ([Progress("parse", 0, 10)], 0),
    ],
)
def test_the_cpu_is_told_once_and_only_when_something_is_embedded(capsys, updates, n_lines):
    with ProgressDisplay(make_loader("cpu", fell_back=True)) as display:
        for update in updates:
            display(update)
    assert capsys.readouterr().err.count("No GPU in use") == n_lines


def test_a_terminal_gets_a_bar_with_stage_rate_and_device(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    clock = Clock()
    with ProgressDisplay(make_loader(), clock) as display:
        for stage in module._STAGES:
            display(Progress(stage, 0, 100))
            clock.now += 10
            display(Progress(stage, 50, 100))
            assert display._bar is not None
            display._bar.refresh()
    output = capsys.readouterr().err
    assert "reading functions" in output
    assert "50 of 100 functions, 5.0/s, on cuda" in output


@pytest.mark.parametrize(
    ("device", "wanted", "expected"), [("cpu", None, True), ("cpu", "cpu", False), ("cuda", None, False)]
)
def test_a_fallback_is_a_cpu_that_nobody_asked_for(monkeypatch, device, wanted, expected):
    embedder = SimpleNamespace(device=device)
    monkeypatch.setattr("indexer.embedding.load_embedder", lambda *arguments: embedder)
    monkeypatch.setattr("indexer.embedding.quick.quick_embedder", lambda *arguments: None)
    loader = EmbedderLoader(load_config(device=wanted))
    assert not loader.fell_back
    loader()
    assert loader.fell_back is expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_one_stops(capsys, number):
    before = signal.getsignal(number)
    with Interruption("Stopping.") as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before
    assert capsys.readouterr().err == "Stopping.\n"
