"""The embedder in a server: loaded in the background, shared by all roots, giving way to queries."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from indexer.errors import UserError
from indexer.memory import give_back

if TYPE_CHECKING:
    from indexer.config import Config
    from indexer.types import Draft, Embedder, Nearness, Vectors

log = logging.getLogger(__name__)

# One uninterrupted piece of background encoding. On a CPU a query need not wait for its end, since it takes one core,
# and the piece gives way to it there; so it is long enough to keep all cores busy.
_SLICE_SECONDS = {"cpu": 0.3}
_GPU_SLICE_SECONDS = 0.015
_MAX_YIELD_SECONDS = 1.0  # a client that never stops asking slows indexing down but cannot stop it
_CACHED_QUERIES = 64  # one query goes to every root, and people repeat themselves
_IDLE_SECONDS = 900.0  # without a query or an edit; loading the model again takes about half a second


class Gate:
    """Lets queries go first: background work waits here while any query runs."""

    def __init__(self) -> None:
        self._queries = 0
        self._changed = threading.Condition()
        self._thread = threading.local()

    @contextmanager
    def query(self) -> Iterator[None]:
        """Marks the work of this thread as a query."""
        with self._changed:
            self._queries += 1
        self._thread.is_query = True
        try:
            yield
        finally:
            self._thread.is_query = False
            with self._changed:
                self._queries -= 1
                self._changed.notify_all()

    def give_way(self) -> None:
        """Waits until no query runs, at most a second; does nothing in a query itself."""
        if getattr(self._thread, "is_query", False):
            return
        with self._changed:
            self._changed.wait_for(lambda: self._queries == 0, _MAX_YIELD_SECONDS)


class YieldingEmbedder:
    """Any embedder, with code encoded in slices so short that a query never waits long for one.

    Vectors are those of the embedder itself, which can be dropped while nobody needs it.
    """

    def __init__(self, inner: Embedder, gate: Gate, load: Callable[[], Embedder] | None = None) -> None:
        self.name = inner.name
        self.fingerprint = inner.fingerprint
        self.dim = inner.dim
        self.device = inner.device
        self.max_tokens = inner.max_tokens
        self.reads_glosses = getattr(inner, "reads_glosses", False)
        self.draft: Draft | None = getattr(inner, "draft", None)
        self.last_used = time.monotonic()
        self._loaded: Embedder | None = inner
        self._load = load
        self._loading = threading.Lock()
        self._slice_seconds = _SLICE_SECONDS.get(inner.device, _GPU_SLICE_SECONDS)
        self._gate = gate
        self._seconds_per_char = 0.0
        self._queries: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries; the last ones are remembered."""
        import numpy as np

        parts = [self._encode_query(text) for text in texts]
        return np.concatenate(parts) if parts else np.zeros((0, self.dim), np.float32)

    def encode_code(self, texts: Sequence[str]) -> Vectors:
        """Vectors of code texts, giving way to queries between slices."""
        import numpy as np

        parts: list[Vectors] = []
        done = 0
        while done < len(texts):
            self._gate.give_way()
            piece = self._next_slice(texts[done:])
            started = time.perf_counter()
            parts.append(self._inner.encode_code(piece))
            self._seconds_per_char = (time.perf_counter() - started) / max(1, sum(map(len, piece)))
            done += len(piece)
        return np.concatenate(parts) if parts else np.zeros((0, self.dim), np.float32)

    def split_windows(self, texts: Sequence[str]) -> list[list[str]]:
        """The overlapping windows of each text, each within `max_tokens`."""
        return self._inner.split_windows(texts)

    def nearness(self, query: str, texts: Sequence[str]) -> Nearness | None:
        """How near the tokens of texts come to those of a query; None where the embedder cannot tell."""
        inner = getattr(self._inner, "nearness", None)
        return inner(query, texts) if inner else None

    def unload(self) -> None:
        """Frees the memory of the model until it is needed again."""
        with self._loading:
            if self._load is None or self._loaded is None:
                return
            self._loaded = None
        log.info("Model %s is unloaded: nobody asked for a while.", self.name)
        if self.device.startswith("cuda"):
            import torch

            torch.cuda.empty_cache()
        give_back()

    @property
    def _inner(self) -> Embedder:
        self.last_used = time.monotonic()
        with self._loading:
            if self._loaded is None:
                assert self._load is not None
                self._loaded = self._load()
            return self._loaded

    def _next_slice(self, texts: Sequence[str]) -> list[str]:
        chars = self._slice_seconds / self._seconds_per_char if self._seconds_per_char else 0.0
        piece = [texts[0]]
        used = len(texts[0])
        for text in texts[1:]:
            used += len(text)
            if used > chars:
                break
            piece.append(text)
        return piece

    def _encode_query(self, text: str) -> Vectors:
        with self._lock:
            if text in self._queries:
                self._queries.move_to_end(text)
                return self._queries[text]
        vectors = self._inner.encode_queries([text])
        with self._lock:
            self._queries[text] = vectors
            if len(self._queries) > _CACHED_QUERIES:
                self._queries.popitem(last=False)
        return vectors


LoadEmbedder = Callable[["Config"], "Embedder"]
"""From the settings to an embedder; may take seconds and raise anything."""


class Model:
    """The model in use and its state: ``loading``, ``ready`` or ``failed``."""

    def __init__(self, load: LoadEmbedder, gate: Gate, on_change: Callable[[], None]) -> None:
        self.state = "loading"
        self.error = ""
        self.embedder: YieldingEmbedder | None = None
        self._load = load
        self._gate = gate
        self._on_change = on_change
        self._wanted: Config | None = None
        self._replaced = threading.Event()
        """Set once the model in use is no longer that."""
        self._lock = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether queries can be answered by meaning."""
        return self.embedder is not None

    @property
    def words_only(self) -> str:
        """Why answers come from words alone for good; empty where they do not."""
        return f"Searched by words only: {self.error}" if self.state == "failed" else ""

    def require(self) -> YieldingEmbedder:
        """What the engine calls on first need; `UserError` while there is no model."""
        embedder = self.embedder
        if embedder is None:
            loading = "The model is still being loaded; ask again in a moment."
            raise UserError(f"There is no model to compare with: {self.error}" if self.error else loading)
        return embedder

    def start(self, config: Config) -> None:
        """Loads a model in the background; one that is still loading is dropped when it arrives."""
        with self._lock:
            self._wanted = config
            self._replace()
            self.state, self.error, self.embedder = "loading", "", None
        threading.Thread(target=self._run, args=(config,), name="codewhere-model", daemon=True).start()

    def fail(self, error: str) -> None:
        """No model, for a reason that was found before one was loaded."""
        with self._lock:
            self._wanted = None
            self._replace()
            self.state, self.error, self.embedder = "failed", error, None
        self._on_change()

    def _replace(self) -> None:
        """Has the thread of the model in use end, for with it the model leaves the memory."""
        self._replaced.set()
        self._replaced = threading.Event()

    def _run(self, config: Config) -> None:
        started = time.perf_counter()
        try:
            load = functools.partial(self._load, config)
            embedder = YieldingEmbedder(load(), self._gate, load)
        except Exception as error:
            log.exception("The model %r could not be loaded.", config.model)
            self._finish(config, "failed", None, str(error) or type(error).__name__)
            return
        log.info("Model %s is ready after %.1f s.", embedder.name, time.perf_counter() - started)
        self._finish(config, "ready", embedder, "")

    def _finish(self, config: Config, state: str, embedder: YieldingEmbedder | None, error: str) -> None:
        with self._lock:
            if config is not self._wanted:
                return
            self.embedder, self.error, self.state = embedder, error, state
            replaced = self._replaced
        self._on_change()
        if embedder is not None:
            _unload_when_idle(embedder, replaced)


def _unload_when_idle(embedder: YieldingEmbedder, replaced: threading.Event) -> None:
    left = _IDLE_SECONDS
    while not replaced.wait(left):
        left = _IDLE_SECONDS - (time.monotonic() - embedder.last_used)
        if left <= 0:
            embedder.unload()
            left = _IDLE_SECONDS
