"""What several subcommands share: from a path and flags to an open index."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from indexer.config import Config, load_config
from indexer.errors import NotIndexed, UserError
from indexer.render import safe, say

if TYPE_CHECKING:
    from indexer.engine import Index
    from indexer.store import RootRow
    from indexer.types import Embedder

Flags = Mapping[str, object]


class EmbedderLoader:
    """Gives the embedder of the settings when it is first needed.

    :param fingerprint: Of the vectors to be searched, which decides between the models of ``auto``.
    """

    def __init__(self, config: Config, fingerprint: str = "") -> None:
        self.config = config
        self._fingerprint = fingerprint
        self._embedder: Embedder | None = None

    def __call__(self) -> Embedder:
        """The embedder; the shape `open_index` wants."""
        from indexer.embedding import quick

        config = self.config
        # One that starts at once where there is one: many commands need a single query, or only its name.
        self._embedder = (
            quick.quick_embedder(config.model, config.dim, self._load, self._fingerprint) or self._load()
        )
        return self._embedder

    def _load(self) -> Embedder:
        from indexer import embedding

        return embedding.load_configured(self.config)

    def load_now(self) -> None:
        """Load all that embedding code needs, where the embedder was asked for before."""
        load_now = getattr(self._embedder, "load_now", None)
        if load_now is not None:
            load_now()

    @property
    def device(self) -> str:
        """Device that embeds code; empty until that was needed."""
        if self._embedder is None or not getattr(self._embedder, "is_loaded", True):
            return ""
        return self._embedder.device

    @property
    def fell_back(self) -> bool:
        """Whether the CPU is in use without having been asked for."""
        return self.device == "cpu" and self.config.device != "cpu"


class Interruption:
    """While active, the first Ctrl-C asks for a stop at the next safe point; the second one stops at once."""

    def __init__(self, message: str) -> None:
        self._message = message
        self.asked = False

    def __call__(self) -> bool:
        """Whether a stop was asked for; the shape `Index.update` wants."""
        return self.asked

    def __enter__(self) -> Interruption:
        self._before = {number: signal.signal(number, self._on_signal) for number in _STOP_SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        if self._message:
            say(self._message, "bold yellow")


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def existing_folder(path: Path) -> Path:
    """The absolute path of a folder, links resolved so that one folder has one index."""
    try:
        if path.resolve(strict=True).is_dir():
            return path.resolve()
    except (OSError, RuntimeError) as error:
        raise UserError(f"Cannot open {path}: {_reason(error)}. Name an existing folder.") from error
    raise UserError(f"{path} is a file. Name a folder.")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def settings_for(root: Path | None, flags: Flags) -> Config:
    """The settings of a root; what was wrong in its own file is said on stderr."""
    config = load_config(root, **flags)
    for note in config.notes:
        say(note, "yellow")
    return config


def indexed_root(home: Path, place: Path) -> RootRow | None:
    """The innermost indexed folder that holds a place, or None."""
    from indexer.store import Store

    if not home.exists():
        return None
    store = Store(home)
    try:
        roots = {Path(row.path): row for row in store.roots()}
    finally:
        store.close()
    return next((roots[folder] for folder in (place, *place.parents) if folder in roots), None)


def open_root(
    root: Path, config: Config, loader: EmbedderLoader, reload: Callable[[], Config] | None = None
) -> Index:
    """The index of a root, whose embedder is loaded when needed; `reload` as for `open_index`."""
    from indexer.engine import open_index

    return open_index(root, config=config, embedder=loader, reload=reload)


def not_indexed(folder: Path) -> UserError:
    """The error for a folder that has no index yet."""
    return NotIndexed(safe(str(folder)))
