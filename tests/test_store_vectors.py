"""Vectors in the store: what is embedded, what is shared, and what is nearest."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fakes import HashEmbedder

from indexer.store import Store, vectors
from indexer.store.coverage import refresh
from tests.rows import EMBEDDER, WEIGHTS, embed, file_row, found_by_words, function, nearest, write
from tests.rows import folder as folder
from tests.rows import root as root
from tests.rows import store as store


def test_a_second_root_with_the_same_code_embeds_nothing(store: Store, root: int) -> None:
    code = [function("a.py", f"function{number}") for number in range(20)]
    write(store, root, *code)
    assert embed(store, root) == 20
    worktree = store.ensure_root("/worktree")
    write(store, worktree, *code)
    assert embed(store, worktree) == 0
    assert len(nearest(store, worktree, "function3", limit=20)) == 20


def test_a_renamed_file_embeds_nothing_and_is_found_under_its_new_name(store: Store, root: int) -> None:
    write(store, root, function("old.py", "moved"))
    embed(store, root)
    store.write_batch(root, removed=[store.files(root)["old.py"]])
    write(store, root, function("new.py", "moved"))
    assert embed(store, root) == 0
    (hit,) = store.lexical(root, "new", WEIGHTS, 5)
    assert store.functions([hit.id])[hit.id].function.path == "new.py"
    assert found_by_words(store, root, "old") == []


def test_another_model_has_its_own_vectors(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"))
    embed(store, root)
    other = HashEmbedder(dim=32, fingerprint="other")
    assert store.coverage(root, "other") == (0, 1)
    assert embed(store, root, other) == 1
    assert store.coverage(root, "other") == store.coverage(root, EMBEDDER.fingerprint) == (1, 1)
    assert len(store.dense(root, "other", other.encode_queries(["alpha"])[0], 5)) == 1


def test_what_was_embedded_after_the_first_query_is_found_by_the_next(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"))
    embed(store, root)
    assert nearest(store, root, "alpha") == ["alpha"]
    write(store, root, function("b.py", "beta"))
    assert nearest(store, root, "beta") == ["alpha"]
    embed(store, root)
    assert nearest(store, root, "beta") == ["beta", "alpha"]
    store.write_batch(root, removed=[store.files(root)["b.py"]])
    assert nearest(store, root, "beta") == ["alpha"]
    write(store, root, function("c.py", "beta"))
    assert nearest(store, root, "beta") == ["beta", "alpha"], "an old vector serves a new function"


def test_the_best_window_of_a_long_function_counts_once(store: Store, root: int) -> None:
    write(store, root, function("a.py", "long"), function("a.py", "short", start_byte=20, end_byte=30))
    model = store.use_model(root, EMBEDDER.fingerprint, "hash", EMBEDDER.dim)
    long, short = store.missing(root, model)
    windows = EMBEDDER.encode_code(["apples", "needle", "pears"])
    store.add_vectors(model, [(long, windows), (short, EMBEDDER.encode_code(["needle work"]))])
    assert nearest(store, root, "needle") == ["long", "short"]
    hits = store.dense(root, EMBEDDER.fingerprint, windows[1], 5)
    assert hits[0].score == pytest.approx(1, abs=1e-3)


def test_vectors_come_back_normalised_and_close(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"))
    embed(store, root)
    (wanted,) = store.functions_in(root, "a.py")
    hash_ = wanted.function.content_hash
    (vector,) = store.vectors_of(EMBEDDER.fingerprint, [hash_, "00" * 16])[hash_]
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert vector @ EMBEDDER.encode_code([wanted.function.text])[0] == pytest.approx(1, abs=1e-3)


def test_missing_contents_come_with_the_urgent_files_first_and_demoted_ones_last(
    store: Store, root: int
) -> None:
    store.write_batch(root, parsed=[(file_row("a_test.py", demoted="test"), [function("a_test.py", "test")])])
    for name in ("b", "c", "d"):
        write(store, root, function(f"{name}.py", name))
    model = store.use_model(root, "m", "m", 2)
    order = store.texts(model, store.missing(root, model, first=["d.py"]))
    missing = store.missing(root, model, first=["d.py"])
    assert [order[id_].split()[1] for id_ in missing] == ["d", "b", "c", "test"]
    only = store.missing(root, model, only=["c.py", "gone.py"])
    assert [order[id_].split()[1] for id_ in only] == ["c"]


def test_what_is_embedded_for_another_root_costs_a_question_nothing(store: Store, root: int) -> None:
    write(store, root, function("a.py", "alpha"))
    embed(store, root)
    assert nearest(store, root, "alpha") == ["alpha"]
    (before,) = store._snapshots.values()
    other = store.ensure_root("/other")
    write(store, other, function("b.py", "beta"))
    embed(store, other)
    assert nearest(store, root, "alpha") == ["alpha"]
    (after,) = store._snapshots.values()
    assert after.state.last_vector > before.state.last_vector
    assert after.rows is before.rows


def test_vectors_of_one_model_alone_are_kept_in_memory_and_none_after_a_check(
    store: Store, root: int
) -> None:
    write(store, root, function("a.py", "alpha"))
    for embedder in (EMBEDDER, HashEmbedder(fingerprint="another")):
        embed(store, root, embedder)
        query = embedder.encode_queries(["alpha"])[0]
        assert len(store.dense(root, embedder.fingerprint, query, 5)) == 1
    assert list(store._snapshots) == [(root, "another")]
    store.recall(root)
    assert not store._snapshots


def steps_of(store: Store, call: Callable[[sqlite3.Connection], object]) -> int:
    """How many steps SQLite takes for a call."""
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    with store._database.reading() as db:
        db.set_progress_handler(step, 1)
        call(db)
        db.set_progress_handler(None, 0)
    return taken


def test_coverage_counts_only_what_is_new(store: Store, root: int) -> None:
    def coverage(_: object = None) -> tuple[int, int]:
        return store.coverage(root, EMBEDDER.fingerprint)

    write(store, root, *(function("a.py", f"function{number}") for number in range(200)))
    write(store, root, function("b.py", "again", body="body", doc=""), function("b.py", "again", body="body"))
    model = store.use_model(root, EMBEDDER.fingerprint, EMBEDDER.name, EMBEDDER.dim)
    assert coverage() == (0, 202)
    counted = steps_of(store, lambda db: refresh(db, root, model, None))
    window = EMBEDDER.encode_code(["one", "two"])
    store.add_vectors(model, [(id_, window) for id_ in store.missing(root, model, only=["b.py"])])
    assert steps_of(store, coverage) < counted / 10
    assert coverage() == (2, 202)
    other = store.ensure_root("/other")
    write(store, other, function("c.py", "elsewhere"))
    embed(store, other)
    assert steps_of(store, coverage) < counted / 10
    assert coverage() == (2, 202)
    write(store, root, function("b.py", "another"))
    assert coverage() == (0, 201)
    embed(store, root)
    assert coverage() == (201, 201)


def test_the_first_question_to_a_root_reads_no_vectors_of_others(store: Store, root: int) -> None:
    def steps() -> int:
        model = store.use_model(root, EMBEDDER.fingerprint, EMBEDDER.name, EMBEDDER.dim)
        found = []
        taken = steps_of(store, lambda db: found.extend(vectors.rows_of(db, root, model).vector_ids))
        assert len(found) == 1
        return taken

    write(store, root, function("a.py", "alpha"))
    embed(store, root)
    alone = steps()
    other = store.ensure_root("/other")
    write(store, other, *(function("b.py", f"function{number}") for number in range(200)))
    embed(store, other)
    assert steps() <= alone + 20


def test_coverage_is_counted_on_as_it_would_be_counted_anew(store: Store, root: int) -> None:
    def anew(root_id: int) -> tuple[int, int]:
        fresh = Store(store.home)
        try:
            return fresh.coverage(root_id, EMBEDDER.fingerprint)
        finally:
            fresh.close()

    code = [function("a.py", f"function{number}") for number in range(6)]
    write(store, root, *code)
    write(store, root, *(replace(one, path="copy.py") for one in code[:2]))
    other = store.ensure_root("/other")
    write(store, other, *(replace(one, path="b.py") for one in code[3:]), function("b.py", "own"))
    model = store.use_model(root, EMBEDDER.fingerprint, EMBEDDER.name, EMBEDDER.dim)
    seen = [store.coverage(root, EMBEDDER.fingerprint)]
    for content in store.missing(root, model):
        store.add_vectors(model, [(content, EMBEDDER.encode_code(["two", "windows"]))])
        assert store.coverage(root, EMBEDDER.fingerprint) == anew(root)
        assert store.coverage(other, EMBEDDER.fingerprint) == anew(other)
        seen.append(store.coverage(root, EMBEDDER.fingerprint))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((0, 8), (8, 8))
    write(store, root, function("c.py", "new"))
    assert store.coverage(root, EMBEDDER.fingerprint) == (8, 9)
