"""Checks of everything an index depends on, each with what to do where something is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.config import Config
from indexer.errors import UserError
from indexer.folders import GONE, why_away

if TYPE_CHECKING:
    from indexer.store import RootRow, Store
    from indexer.types import Embedder

OK, WARN, FAIL = "ok", "warn", "fail"

_LITTLE_SPACE = 1_000_000_000  # bytes
_NO_SPACE = 100_000_000
_RECALL_GOAL = 0.99
_RECALL_FLOOR = 0.95
_MOST_FOLDERS = 1_000_000  # counting watches stops here
_INOTIFY = Path("/proc/sys/fs/inotify")


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    check: str
    level: str
    """``ok``, ``warn`` or ``fail``."""
    message: str
    advice: str = ""
    """What to do; empty when all is well."""


Findings = Iterator[Finding]


def examine(config: Config, *, repair: bool = False) -> Findings:
    """The findings of all checks, one after the other; with `repair`, what can be set right is."""
    checks: Sequence[tuple[str, Callable[[], Findings]]] = (
        ("program", _check_program),
        ("settings", lambda: _check_settings(config)),
        ("parsers", _check_parsers),
        ("data folder", lambda: _check_home(config.home, repair)),
        ("disk space", lambda: _check_space(config.home)),
        ("store", lambda: _check_store(config.home, repair)),
        ("index", lambda: _check_roots(config.home)),
        ("model", lambda: _check_model(config)),
        ("device", lambda: _check_device(config)),
        ("watching", lambda: _check_watching(config.home)),
    )
    for name, check in checks:
        try:
            yield from check()
        except UserError as error:
            yield Finding(name, FAIL, str(error))
        except Exception as error:  # one check that breaks must not hide the others
            yield Finding(name, FAIL, f"{type(error).__name__}: {error}", "Report this with the line above.")


def _check_program() -> Findings:
    from importlib.metadata import version

    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
    except sqlite3.OperationalError:
        advice = "Use a Python whose SQLite has FTS5, such as that of python.org, Debian or conda."
        yield Finding("program", FAIL, f"SQLite {sqlite3.sqlite_version} lacks full-text search", advice)
    finally:
        connection.close()
    parts = f"codewhere {version('codewhere')}, Python {platform.python_version()}"
    yield Finding("program", OK, f"{parts}, SQLite {sqlite3.sqlite_version}, {platform.platform()}")


def _check_settings(config: Config) -> Findings:
    for note in config.notes:
        yield Finding("settings", WARN, note, "Correct or remove the line.")
    if not config.notes:
        yield Finding("settings", OK, f"model {config.model}, data in {config.home}")


def _check_parsers() -> Findings:
    from indexer.languages import LANGUAGES
    from indexer.languages.grammars import query

    broken = []
    with_grammar = [name for name, language in LANGUAGES.items() if language.grammar]
    for name in with_grammar:
        try:
            query(name)
        except Exception as error:  # a wheel may fail in any way while it is loaded
            broken.append(f"{name} ({error})")
    if broken:
        message = f"{len(broken)} of {len(with_grammar)} parsers cannot be used: {', '.join(broken)}"
        yield Finding(
            "parsers", FAIL, message, "Install codewhere again: pip install --force-reinstall codewhere."
        )
    else:
        yield Finding("parsers", OK, f"{len(with_grammar)} languages")


def _check_home(home: Path, repair: bool) -> Findings:
    if not home.exists():
        yield Finding("data folder", OK, f"{home} does not exist yet; it is made when something is indexed")
        return
    if not os.access(home, os.W_OK | os.X_OK):
        advice = "Make it writable, or set CODEWHERE_HOME to another folder."
        yield Finding("data folder", FAIL, f"{home} cannot be written to", advice)
        return
    exposed = [path for path in (home, *home.rglob("*")) if _is_exposed(path)]
    if exposed and repair:
        for path in exposed:
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o077)
        yield Finding("data folder", OK, f"{len(exposed)} files were readable by others and are private now")
    elif exposed:
        message = f"{exposed[0]} can be read by other users; the store holds your source code"
        yield Finding("data folder", WARN, message, "codewhere doctor --repair makes it private.")
    else:
        yield Finding("data folder", OK, f"{home} is private and can be written to")


def _is_exposed(path: Path) -> bool:
    # Inside a private folder the modes of the files do not matter, but the folder may be copied.
    return os.name == "posix" and not path.is_symlink() and bool(path.stat().st_mode & 0o077)


def _check_space(home: Path) -> Findings:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    level = FAIL if free < _NO_SPACE else WARN if free < _LITTLE_SPACE else OK
    advice = "" if level == OK else "Free some space; codewhere gc --grace-days 0 helps."
    yield Finding("disk space", level, f"{free / 1e9:.1f} GB free for {home}", advice)


def _check_store(home: Path, repair: bool) -> Findings:
    from indexer import store

    if not home.exists():
        yield Finding("store", OK, "nothing is indexed yet")
        return
    if repair:
        for done in store.repair(home):
            yield Finding("store", OK, f"repaired: {done}")
    problems = store.check(home)
    for problem in problems:
        yield Finding(
            "store", FAIL, problem, "codewhere doctor --repair sets it right; no source file is touched."
        )
    if not problems:
        yield Finding("store", OK, "the database is whole, all counts agree")


def _check_roots(home: Path) -> Findings:
    from indexer.store import Store

    if not home.exists():
        return
    store = Store(home)
    try:
        for root in store.roots():
            yield from _check_root(store, root)
    finally:
        store.close()


def _check_root(store: Store, root: RootRow) -> Findings:
    if away := why_away(Path(root.path)):
        forget = f"codewhere gc --forget {root.path} frees its space"
        advice = f"{forget} now; otherwise gc does after a while." if away == GONE else f"{forget}."
        yield Finding("index", WARN, f"{root.path} is {away}", advice)
        return
    embedded, functions = store.coverage(root.id, root.fingerprint)
    message = (
        f"{root.path}: {functions:,} functions, {embedded:,} with a vector of {root.model or 'no model'}"
    )
    complete = root.updated_at is not None and embedded == functions
    advice = "" if complete else f"codewhere index {root.path} completes it."
    yield Finding("index", OK if complete else WARN, message, advice)
    yield from _check_recall(store, root)


def _check_recall(store: Store, root: RootRow) -> Findings:
    recall = store.recall(root.id)
    if recall is None:
        return
    level = OK if recall >= _RECALL_GOAL else WARN if recall >= _RECALL_FLOOR else FAIL
    advice = {
        OK: "",
        WARN: "Still good to use; the graph is built anew when enough of the folder has changed.",
        FAIL: "codewhere doctor --repair drops the graph; the next codewhere index builds it anew.",
    }[level]
    message = f"{root.path}: recall@10 of the vector graph against exact search {recall:.3f}"
    yield Finding("recall", level, message, advice)


def _check_model(config: Config) -> Findings:
    from indexer import embedding
    from indexer.embedding.spec import SPEC_FILE, ModelSpec

    folders = [embedding.SHIPPED / name for name in embedding.available_models()]
    named = Path(config.model).expanduser()
    if (named / SPEC_FILE).is_file():
        folders.append(named)
    for folder in folders:
        spec = ModelSpec.read(folder)
        spec.verify(folder)
        size = sum((folder / name).stat().st_size for name in spec.files)
        yield Finding(
            "model", OK, f"{spec.name}: {len(spec.files)} files, {size / 1e6:.0f} MB, checksums agree"
        )
    if not folders:
        yield Finding("model", FAIL, "no model is installed", "Install codewhere again.")


def _check_device(config: Config) -> Findings:
    from indexer import embedding

    embedder = embedding.load_configured(config)
    message = f"{embedder.name} on {embedder.device}, {embedder.dim} dimensions"
    if embedder.device != "cpu" or config.device == "cpu":
        yield Finding("device", OK, message)
    else:
        yield Finding("device", WARN, f"{message}; {_why_no_gpu()}", "With a GPU, indexing is far quicker.")
    yield from _check_fingerprints(config.home, embedder)


def _check_fingerprints(home: Path, embedder: Embedder) -> Findings:
    """Roots whose vectors are of another model than the one that the settings choose now."""
    from indexer.store import Store

    if not home.exists():
        return
    store = Store(home)
    try:
        others = [root for root in store.roots() if root.fingerprint not in ("", embedder.fingerprint)]
    finally:
        store.close()
    for root in others:
        message = f"{root.path} has vectors of {root.model} ({root.fingerprint}), not of {embedder.name} as chosen now"
        advice = (
            f"codewhere index {root.path} makes vectors of {embedder.name}; search finds words until then."
        )
        yield Finding("index", WARN, message, advice)


def _why_no_gpu() -> str:
    import torch

    if torch.version.cuda is None and torch.version.hip is None and platform.system() != "Darwin":
        return "this PyTorch was built without GPU support"
    return "no GPU was found, or its driver does not fit this PyTorch"


def _check_watching(home: Path) -> Findings:
    from indexer.watch import remote_kind

    roots = [root for root in _root_folders(home) if not why_away(root)]
    for root in roots:
        kind = remote_kind(root)
        if kind:
            message = f"{root} is on a {kind} drive, which tells of no changes made elsewhere"
            yield Finding("watching", WARN, message, "It is scanned every few seconds; nothing to do.")
    if not _INOTIFY.is_dir():
        yield Finding("watching", OK, f"{platform.system()} has no limit of watches")
        return
    yield from _check_inotify(sum(_count_folders(root) for root in roots))


def _check_inotify(folders: int) -> Findings:
    watches = int((_INOTIFY / "max_user_watches").read_text(encoding="ascii"))
    instances = int((_INOTIFY / "max_user_instances").read_text(encoding="ascii"))
    message = f"{watches:,} watches allowed, {folders:,} folders indexed, {instances} instances"
    # Editors and other tools share the limit.
    if folders > watches // 2:
        advice = (
            f"echo fs.inotify.max_user_watches={_enough_watches(folders)} | sudo tee -a /etc/sysctl.conf; "
        )
        yield Finding("watching", WARN, message, f"{advice}sudo sysctl -p")
    else:
        yield Finding("watching", OK, message)


def _enough_watches(folders: int) -> int:
    enough = 524_288
    while enough < 4 * folders:
        enough *= 2
    return enough


def _root_folders(home: Path) -> list[Path]:
    from indexer.store import Store

    if not home.exists():
        return []
    store = Store(home)
    try:
        return [Path(root.path) for root in store.roots()]
    finally:
        store.close()


def _count_folders(root: Path) -> int:
    n_folders = 1
    for _, folders, _ in os.walk(root):
        n_folders += len(folders)
        if n_folders > _MOST_FOLDERS:
            break
    return n_folders
