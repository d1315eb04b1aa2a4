"""Stores of a newer and of an older format: refused, brought up to date, or left as they were."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from indexer.errors import UserError
from indexer.store import Store, schema
from indexer.store.database import FILE_NAME
from tests.homes import folder as folder
from tests.homes import home as home
from tests.homes import neighbours, update


def test_a_store_of_a_newer_format_is_refused_and_left_alone(folder: Path, home: Path) -> None:
    update(folder, home)
    with sqlite3.connect(home / FILE_NAME) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    with pytest.raises(UserError, match=r"newer codewhere.*Update codewhere"):
        Store(home)
    with sqlite3.connect(home / FILE_NAME) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION}")
    assert update(folder, home) == 0


def test_a_store_of_an_older_format_is_brought_up_to_date(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(folder, home)
    before = neighbours(folder, home)
    monkeypatch.setattr(
        schema, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE roots ADD COLUMN colour TEXT;")
    )
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    assert neighbours(folder, home) == before
    with sqlite3.connect(home / FILE_NAME) as db:
        assert db.execute("SELECT colour FROM roots").fetchall() == [(None,)]
        assert schema.version_of(db) == schema.VERSION


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_a_store_of_every_format_there_was_can_be_opened(tmp_path: Path, version: int) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None) as db:
        schema.migrate(db, version)
    with contextlib.closing(Store(tmp_path)) as store:
        assert store.roots() == []
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        assert schema.version_of(db) == schema.VERSION


def test_a_store_of_an_older_format_that_may_not_be_changed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None) as db:
        schema.migrate(db, 1)
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(UserError, match=r"older codewhere.*writable"):
        Store(tmp_path)


def test_a_migration_that_fails_leaves_the_old_format(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(folder, home)
    step = "ALTER TABLE roots ADD COLUMN colour TEXT; INSERT INTO nowhere VALUES (1);"
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
        patch.setattr(schema, "VERSION", schema.VERSION + 1)
        with pytest.raises(sqlite3.OperationalError):
            Store(home)
    assert update(folder, home) == 0
