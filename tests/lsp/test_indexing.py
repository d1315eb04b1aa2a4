"""The queue of indexing work and the embedder that gives way, without a server around them."""

from __future__ import annotations

import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

from indexer.config import Config
from indexer.errors import RootBusy, UserError
from indexer.types import Progress, Status, UpdateReport
from lsp_server.indexing import Indexer
from lsp_server.model import Gate, Model, YieldingEmbedder
from lsp_server.workspaces import Root
from tests.fakes import HashEmbedder


class Listener:
    """Notes what the indexer tells."""

    def __init__(self):
        self.done = []
        self.read = []
        self.fractions = []
        self.open = []

    def on_progress(self, root, fraction):
        self.fractions.append(fraction)

    def on_done(self, root, started, reason, read):
        self.done.append((root.name, root.state.state, root.state.message, reason))
        self.read.append(read if read is None else set(read))

    def open_paths(self, root):
        return self.open


class FakeIndex:
    """Records updates; embedding takes many short batches."""

    def __init__(self, calls, name, fail=()):
        self.calls, self.name, self.fail = calls, name, list(fail)
        self.root = Path("/" + name)

    def update(self, *, paths, first, on_progress, cancelled, embed, wait, **more):
        if self.fail:
            raise self.fail.pop(0)
        kind = "paths" if paths is not None else "embed" if embed else "words"
        self.calls.append((self.name, kind, paths if paths is not None else list(first)))
        if kind == "embed":
            for batch in range(50):
                on_progress(Progress("embed", batch, 50))
                if cancelled():
                    return UpdateReport(cancelled=True)
                time.sleep(0.01)
        return UpdateReport()

    def status(self):
        return Status(str(self.root), indexed=True, files=1, functions=1, embedded=1, coverage=1.0)

    def close(self):
        pass


@pytest.fixture
def world():
    """An indexer with two roots, and the order of the updates that it made."""

    class World:
        def __init__(self):
            self.calls, self.listener, self.gate = [], Listener(), Gate()
            self.model = Model(lambda config: HashEmbedder(), self.gate, lambda: None)
            self.indexer = Indexer(self.model, self.gate, self.listener)
            self.a, self.b = self.root("a"), self.root("b")

        def root(self, name, fail=()):
            index = FakeIndex(self.calls, name, fail)
            return Root(f"file:///{name}", name, Path("/" + name), lambda path: index)

        def load_model(self):
            self.model.start(Config(home=Path("/nowhere")))
            self.wait(lambda: self.model.ready)
            self.indexer.wake()

        def wait(self, condition):
            deadline = time.monotonic() + 20
            while not condition():
                assert time.monotonic() < deadline, (self.calls, self.listener.done)
                time.sleep(0.005)

    world = World()
    yield world
    world.indexer.stop()


def test_words_of_every_root_come_before_any_vector(world):
    world.load_model()
    world.indexer.request_all(world.a)
    world.indexer.request_all(world.b)
    world.indexer.start()
    world.wait(lambda: len(world.calls) == 4)
    assert [call[:2] for call in world.calls] == [
        ("a", "words"),
        ("b", "words"),
        ("a", "embed"),
        ("b", "embed"),
    ]


def test_nothing_is_embedded_before_the_model_is_there(world):
    world.indexer.start()
    world.indexer.request_all(world.a)
    world.wait(lambda: world.listener.done)
    time.sleep(0.1)
    assert [call[1] for call in world.calls] == ["words"]
    world.load_model()
    world.wait(lambda: len(world.calls) == 2)
    assert world.calls[1][1] == "embed"


def test_open_files_come_first_then_their_folders(world):
    world.load_model()
    world.listener.open = ["src/net/retry.py", "top.py"]
    world.indexer.request_all(world.a)
    world.indexer.start()
    world.wait(lambda: len(world.calls) == 2)
    assert world.calls[1] == ("a", "embed", ["src/net/retry.py", "top.py", "src/net"])


def test_an_edit_interrupts_embedding_which_then_goes_on(world):
    world.load_model()
    world.indexer.request_vectors(world.a)
    world.indexer.start()
    world.wait(lambda: world.calls)
    world.indexer.request_paths(world.b, ["edited.py"])
    world.wait(lambda: len(world.calls) == 3)
    assert world.calls[1] == ("b", "paths", ["edited.py"])
    assert world.calls[2][:2] == ("a", "embed")


def test_many_changed_paths_become_one_look_at_everything(world):
    world.indexer.request_paths(world.a, [f"f{number}.py" for number in range(5000)])
    world.indexer.start()
    world.wait(lambda: world.calls)
    assert world.calls[0] == ("a", "words", [])


def test_a_paused_root_waits(world):
    world.a.paused = True
    world.indexer.start()
    world.indexer.request_all(world.a)
    time.sleep(0.1)
    assert world.calls == []
    world.a.paused = False
    world.indexer.wake()
    world.wait(lambda: world.calls)


def test_a_root_that_another_process_indexes_is_tried_again(world, monkeypatch):
    monkeypatch.setattr("lsp_server.indexing._BUSY_SECONDS", 0.2)
    busy = world.root("busy", fail=[RootBusy("busy", 4711)])
    world.indexer.start()
    world.indexer.request_all(busy)
    world.wait(lambda: world.calls)
    assert world.listener.done[0][1:3] == (
        "indexing",
        "Process 4711 is indexing this folder; waiting for it.",
    )
    assert world.calls[0][:2] == ("busy", "words")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UserError("The disk is full. Free some space."), "The disk is full"),
        (KeyError("x"), "codewhere doctor"),
    ],
    ids=["for the person", "a defect"],
)
def test_an_error_is_told_and_the_next_root_is_indexed(world, error, words):
    broken = world.root("broken", fail=[error])
    world.indexer.request_all(broken)
    world.indexer.request_all(world.b)
    world.indexer.start()
    world.wait(lambda: world.calls)
    name, state, message, _ = world.listener.done[0]
    assert (name, state) == ("broken", "error") and words in message
    assert world.calls[0][0] == "b"


def test_a_forgotten_root_is_left_alone_at_once(world):
    world.load_model()
    world.indexer.request_vectors(world.a)
    world.indexer.start()
    world.wait(lambda: world.calls)
    began = time.monotonic()
    world.indexer.forget(world.a)
    assert time.monotonic() - began < 0.45  # the whole of it would take half a second
    n_calls = len(world.calls)
    time.sleep(0.1)
    assert len(world.calls) == n_calls


def test_stopping_ends_after_the_batch(world):
    world.load_model()
    world.indexer.request_vectors(world.a)
    world.indexer.start()
    world.wait(lambda: world.calls)
    world.indexer.stop()
    assert not world.indexer._thread.is_alive()


def test_progress_tells_a_fraction_and_the_time_left(world, monkeypatch):
    monkeypatch.setattr("lsp_server.indexing._REPORT_SECONDS", 0.0)
    told = []
    world.listener.on_progress = lambda root, fraction: told.append((fraction, root.state))
    world.load_model()
    world.indexer.request_vectors(world.a)
    world.indexer.start()
    world.wait(lambda: any(fraction and fraction >= 0.5 for fraction, _ in told))
    fraction, state = next((fraction, state) for fraction, state in told if fraction and fraction >= 0.5)
    done = round(fraction * 50)
    assert state.message == f"Embedding: {done} of 50 functions"
    assert 0.05 < state.eta_seconds < 5


def test_coverage_grows_while_functions_are_embedded(world, monkeypatch):
    monkeypatch.setattr("lsp_server.indexing._REPORT_SECONDS", 0.0)
    world.a.open().status = lambda: Status("/a", True, files=1, functions=60, embedded=10, coverage=1 / 6)
    world.a.count()
    told = []
    world.listener.on_progress = lambda root, fraction: told.append((fraction, root.state.counts))
    world.load_model()
    world.indexer.request_vectors(world.a)
    world.indexer.start()
    world.wait(lambda: any(fraction and fraction >= 0.5 for fraction, _ in told))
    embedding = [(round(fraction * 50), counts) for fraction, counts in told if fraction is not None]
    assert len(embedding) > 10
    for done, counts in embedding:
        assert (counts.embedded, counts.coverage) == (10 + done, (10 + done) / 60)


def test_background_work_waits_while_a_query_runs():
    gate = Gate()
    passed = threading.Event()
    with gate.query():
        thread = threading.Thread(target=lambda: (gate.give_way(), passed.set()))
        thread.start()
        assert not passed.wait(0.1)
    assert passed.wait(5)


def test_a_client_that_never_stops_asking_cannot_stop_indexing(monkeypatch):
    monkeypatch.setattr("lsp_server.model._MAX_YIELD_SECONDS", 0.1)
    gate = Gate()
    with gate.query():
        thread = threading.Thread(target=gate.give_way)
        thread.start()
        thread.join(5)
        assert not thread.is_alive()


def test_a_query_that_embeds_code_does_not_wait_for_itself():
    gate = Gate()
    embedder = YieldingEmbedder(HashEmbedder(), gate)
    began = time.monotonic()
    with gate.query():
        embedder.encode_code(["some code"])
    assert time.monotonic() - began < 0.9


class Slow(HashEmbedder):
    """One millisecond for every ten characters."""

    def __init__(self):
        super().__init__()
        self.slices = []

    def encode_code(self, texts):
        self.slices.append(len(texts))
        time.sleep(sum(map(len, texts)) / 10_000)
        return super().encode_code(texts)


def test_code_is_encoded_in_short_slices_with_the_same_vectors():
    slow = Slow()
    texts = [f"word{number} " * 80 for number in range(16)]
    vectors = YieldingEmbedder(slow, Gate()).encode_code(texts)
    np.testing.assert_array_equal(vectors, HashEmbedder().encode_code(texts))
    assert sum(slow.slices) == 16
    assert 1 < max(slow.slices) < 8  # 3,000 characters are 0.3 seconds


def test_fast_embedders_get_long_slices():
    class Fast(HashEmbedder):
        n_calls = 0

        def encode_code(self, texts):
            self.n_calls += 1
            return np.zeros((len(texts), self.dim), np.float32)

    fast = Fast()
    YieldingEmbedder(fast, Gate()).encode_code(["x" * 100] * 500)
    assert fast.n_calls < 50


def test_the_same_query_is_encoded_once():
    inner = HashEmbedder()
    embedder = YieldingEmbedder(inner, Gate())
    first = embedder.encode_queries(["a", "b"])
    np.testing.assert_array_equal(embedder.encode_queries(["b"])[0], first[1])
    assert inner.queries == 2
    assert embedder.encode_queries([]).shape == (0, inner.dim)


def test_a_model_that_arrives_too_late_is_dropped():
    release, names = threading.Event(), []

    def load(config):
        if config.model == "slow":
            release.wait(10)
        names.append(config.model)
        embedder = HashEmbedder()
        embedder.name = config.model
        return embedder

    changed = threading.Event()
    model = Model(load, Gate(), changed.set)
    model.start(Config(home=Path("/nowhere"), model="slow"))
    model.start(Config(home=Path("/nowhere"), model="quick"))
    assert changed.wait(5)
    release.set()
    while len(names) < 2:
        time.sleep(0.01)
    time.sleep(0.05)
    assert model.require().name == "quick"


def test_counting_does_not_undo_what_another_thread_tells(world):
    root = world.a
    index = root.open()
    counted = index.status()

    def count_while_another_thread_tells():
        root.tell("idle")
        return counted

    index.status = count_while_another_thread_tells
    root.tell("indexing", "Looking for files")
    root.count()
    assert (root.state.state, root.state.counts) == ("idle", counted)


def test_a_root_waits_for_the_model_and_says_so_until_it_is_there_or_failed(world):
    world.indexer.start()
    world.indexer.request_all(world.a)
    world.wait(lambda: world.listener.done)
    assert (world.a.state.state, world.a.state.message) == ("indexing", "Loading the model")
    world.model.state, world.model.error = "failed", "no such model"
    world.indexer.request_vectors(world.a)
    world.wait(lambda: world.a.state.state == "idle")
    assert "no such model" in world.a.state.message
    assert [kind for _, kind, _ in world.calls] == ["words"]


def test_a_model_that_is_replaced_leaves_the_memory_at_once():
    model = Model(lambda config: HashEmbedder(), Gate(), lambda: None)

    def start(name):
        model.start(Config(home=Path("/nowhere"), model=name))
        until(lambda: model.ready)
        return weakref.ref(model.require()._loaded)

    def until(condition):
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    first = start("first")
    second = start("second")
    until(lambda: first() is None)
    assert second() is not None


def test_a_model_that_nobody_asks_is_unloaded_and_comes_back(monkeypatch):
    monkeypatch.setattr("lsp_server.model._IDLE_SECONDS", 0.05)
    loads = []

    def load(config):
        loads.append(HashEmbedder())
        return loads[-1]

    model = Model(load, Gate(), lambda: None)
    model.start(Config(home=Path("/nowhere")))
    deadline = time.monotonic() + 10
    while not (model.ready and model.require()._loaded is None) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert model.require()._loaded is None
    expected = HashEmbedder().encode_code(["some code"])
    np.testing.assert_array_equal(model.require().encode_code(["some code"]), expected)
    assert len(loads) == 2


def test_what_a_listener_fails_at_does_not_end_the_work(world):
    world.load_model()
    done, world.listener.on_done = world.listener.on_done, lambda *told: 1 / 0
    world.indexer.request_all(world.a)
    world.indexer.start()
    world.wait(lambda: world.calls)
    world.listener.on_done = done
    world.indexer.request_all(world.b)
    world.wait(lambda: [told for told in world.listener.done if told[0] == "b"])


def test_it_tells_which_files_were_read(world):
    world.load_model()
    busy = world.root("busy", fail=[RootBusy("busy", None)])
    world.indexer.start()
    for request in (
        lambda: world.indexer.request_paths(world.a, ["x.py", "src"]),
        lambda: world.indexer.request_all(busy),
        lambda: world.indexer.request_vectors(world.b),
    ):
        n_done = len(world.listener.done)
        request()
        world.wait(lambda n_done=n_done: len(world.listener.done) > n_done)
    assert world.listener.read == [{"x.py", "src"}, set(), None]
    assert world.listener.done[1][2].startswith("Another process is indexing")


def test_it_does_not_wake_up_all_the_time_for_a_root_that_waits_for_something_else(world, monkeypatch):
    monkeypatch.setattr("lsp_server.indexing._BUSY_SECONDS", 0.05)
    busy = world.root("busy", fail=[RootBusy("busy", 4711)])
    world.indexer.start()
    world.indexer.request_all(busy)
    world.wait(lambda: world.listener.done)
    busy.paused = True
    looks, next_one = [], world.indexer._next
    monkeypatch.setattr(world.indexer, "_next", lambda: looks.append(1) or next_one())
    time.sleep(0.5)
    assert len(looks) < 5
    busy.paused = False
    world.indexer.wake()
    world.wait(lambda: world.calls)
