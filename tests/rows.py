"""A store with an empty folder as its root, functions to write into it, and questions to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import HashEmbedder

from indexer.store import FileRow, Store
from indexer.types import Function, SearchFilters

EMBEDDER = HashEmbedder()
WEIGHTS = (1.0, 1.0, 1.0, 1.0)


def function(path: str, symbol: str, body: str = "", **fields: object) -> Function:
    values: dict = {
        "language": "python",
        "kind": "function",
        "start_byte": 0,
        "end_byte": 10,
        "start_line": 0,
        "end_line": 1,
        "doc": "",
        "signature": f"def {symbol}():",
        "body": body or f"def {symbol}():\n    return {symbol}",
    }
    return Function(path=path, symbol=symbol, **{**values, **fields})


def file_row(path: str, **fields: object) -> FileRow:
    values = {"size": 1, "changed_ns": 1, "hash": b"h", "demoted": "", "parser_version": 1}
    return FileRow(0, path, **{**values, **fields})


def write(store: Store, root_id: int, *functions: Function, path: str = "") -> None:
    path = path or functions[0].path
    store.write_batch(root_id, parsed=[(file_row(path), functions)])


def embed(store: Store, root_id: int, embedder: HashEmbedder = EMBEDDER) -> int:
    """Embed what is missing; the number of contents that were."""
    model = store.use_model(root_id, embedder.fingerprint, embedder.name, embedder.dim)
    missing = store.missing(root_id, model)
    texts = store.texts(model, missing)
    store.add_vectors(model, [(id_, embedder.encode_code([text])) for id_, text in texts.items()])
    return len(texts)


def found_by_words(store: Store, root_id: int, match: str, filters: SearchFilters | None = None) -> list[str]:
    where = store.filter(root_id, filters or SearchFilters())
    hits = store.lexical(root_id, match, WEIGHTS, 50, where)
    functions = store.functions(hit.id for hit in hits)
    return [functions[hit.id].function.symbol for hit in hits]


def nearest(
    store: Store, root_id: int, query: str, limit: int = 5, filters: SearchFilters | None = None
) -> list[str]:
    where = store.filter(root_id, filters or SearchFilters())
    vector = EMBEDDER.encode_queries([query])[0]
    hits = store.dense(root_id, EMBEDDER.fingerprint, vector, limit, where)
    functions = store.functions(hit.id for hit in hits)
    return [functions[hit.id].function.symbol for hit in hits]


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def root(store: Store, folder: Path) -> int:
    return store.ensure_root(str(folder))
