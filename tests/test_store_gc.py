"""Garbage collection: what is kept for its time of grace, what is freed, and what that gives back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import HashEmbedder

from indexer.errors import RootBusy
from indexer.store import Store
from tests.rows import EMBEDDER, embed, function, nearest, write
from tests.rows import folder as folder
from tests.rows import root as root
from tests.rows import store as store


def test_garbage_is_kept_for_its_time_of_grace_and_freed_afterwards(store: Store, root: int) -> None:
    write(store, root, function("a.py", "kept"), function("a.py", "dropped"))
    embed(store, root)
    write(store, root, function("a.py", "kept"))
    assert store.gc(grace_days=1)[:3] == (0, 0, 0)
    write(store, root, function("a.py", "kept"), function("a.py", "dropped"))
    assert embed(store, root) == 0, "a branch that comes back in time costs nothing"
    write(store, root, function("a.py", "kept"))
    report = store.gc(grace_days=0)
    assert (report.contents, report.vectors) == (1, 1)
    write(store, root, function("a.py", "kept"), function("a.py", "dropped"))
    assert embed(store, root) == 1


def test_contents_another_root_uses_are_not_garbage(
    store: Store, root: int, folder: Path, tmp_path: Path
) -> None:
    other = store.ensure_root(str(tmp_path))
    write(store, root, function("a.py", "shared"))
    write(store, other, function("b.py", "shared"))
    embed(store, root)
    assert store.forget(str(folder))
    embed(store, other)
    assert store.gc(grace_days=0).contents == 0
    assert nearest(store, other, "shared") == ["shared"]
    assert store.root(str(folder)) is None
    assert not store.forget(str(folder))


@pytest.mark.parametrize("purpose", ["files", "vectors"])
def test_a_root_that_is_being_indexed_is_not_forgotten(
    store: Store, root: int, folder: Path, purpose: str
) -> None:
    other = Store(store.home)
    lock = other.lock(root, str(folder), purpose)
    with (
        lock.hold(wait=False),
        pytest.raises(RootBusy, match="is being indexed"),
    ):
        store.forget(str(folder))
    assert store.root(str(folder)) is not None
    assert store.forget(str(folder))
    other.close()


def test_a_root_whose_folder_is_gone_is_forgotten_after_its_grace(
    store: Store, root: int, folder: Path
) -> None:
    store.gc(grace_days=0)
    folder.rmdir()
    store.gc(grace_days=7)
    assert store.root(str(folder)) is not None
    assert store.gc(grace_days=0).roots == 1
    assert store.roots() == []


def test_vectors_of_a_model_no_root_uses_any_more_are_freed_after_their_grace(
    store: Store, root: int
) -> None:
    write(store, root, function("a.py", "alpha"))
    embed(store, root)
    embed(store, root, HashEmbedder(dim=8, fingerprint="new"))
    assert store.gc(grace_days=1).vectors == 0
    assert store.gc(grace_days=0).vectors == 1
    assert store.coverage(root, EMBEDDER.fingerprint) == (0, 1)
    assert store.coverage(root, "new") == (1, 1)


def test_gc_gives_the_space_back_to_the_disk(store: Store, root: int, folder: Path) -> None:
    body = np.random.default_rng(0).integers(0, 1 << 60, (40, 60))
    write(
        store, root, *[function("a.py", f"f{n}", body=" ".join(map(hex, row))) for n, row in enumerate(body)]
    )
    embed(store, root)
    store.gc()
    before = store.store_bytes()
    store.forget(str(folder))
    assert store.gc(grace_days=0).freed_bytes > before / 3
    assert store.store_bytes() < before / 2


def test_a_lock_is_free_again_where_the_note_on_its_holder_cannot_be_removed(
    store: Store, root: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "it is open in another process", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with store.lock(root, str(folder), "files").hold(wait=False):
            pass
    with store.lock(root, str(folder), "files").hold(wait=False) as held:
        assert held
