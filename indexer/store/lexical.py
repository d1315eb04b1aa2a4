"""The lexical index: one contentless FTS5 table per root, fed with words that our own tokenizer made.

FTS5 keeps no copy of the text here; to delete a row it must be told the same words again. They are made anew
from the stored function, so all rows of a table must come from one version of the tokenizer: `tokens_version`
of the root says which, and another version means `rebuild`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from indexer.rank.tokens import TOKENS_VERSION, tokenize
from indexer.store import abbreviations, catalogue
from indexer.store.filters import Where
from indexer.store.records import Hit, LexicalStatistics
from indexer.types import Function

COLUMNS = ("symbol", "path", "doc", "body")


def fields(function: Function) -> tuple[str, ...]:
    """The words of a function as they are indexed, one text per column of `COLUMNS`."""
    texts = (function.symbol, function.path, function.doc, function.body)
    return tuple(" ".join(tokenize(text)) for text in texts)


def create(db: sqlite3.Connection, root_id: int) -> None:
    """An empty index for a root."""
    # Our tokens hold letters and digits of any script only; FTS5 has to split them at the blanks, no more.
    options = "content='', tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* M* S* P* Co'\""
    db.execute(f"CREATE VIRTUAL TABLE {_table(root_id)} USING fts5({', '.join(COLUMNS)}, {options})")
    db.execute(f"CREATE VIRTUAL TABLE {_vocabulary(root_id)} USING fts5vocab({_table(root_id)}, 'row')")


def drop(db: sqlite3.Connection, root_id: int) -> None:
    """Remove the index of a root, if there is one."""
    db.execute(f"DROP TABLE IF EXISTS {_vocabulary(root_id)}")
    db.execute(f"DROP TABLE IF EXISTS {_table(root_id)}")


def rebuild(db: sqlite3.Connection, root_id: int) -> None:
    """Make the index of a root anew from its functions."""
    drop(db, root_id)
    create(db, root_id)
    functions = catalogue.all_functions(db, root_id)
    insert(db, root_id, ((stored.id, stored.function) for stored in functions))
    db.execute("UPDATE roots SET tokens_version = ? WHERE id = ?", (TOKENS_VERSION, root_id))


def insert(db: sqlite3.Connection, root_id: int, functions: Iterable[tuple[int, Function]]) -> None:
    """Index functions under their ids."""
    marks = ", ".join("?" * (1 + len(COLUMNS)))
    db.executemany(
        f"INSERT INTO {_table(root_id)} (rowid, {', '.join(COLUMNS)}) VALUES ({marks})",
        ((id_, *fields(function)) for id_, function in functions),
    )


def delete(db: sqlite3.Connection, root_id: int, functions: Iterable[tuple[int, Function]]) -> None:
    """Take functions out of the index; they must be as they were when they went in."""
    table = _table(root_id)
    marks = ", ".join("?" * (1 + len(COLUMNS)))
    db.executemany(
        f"INSERT INTO {table} ({table}, rowid, {', '.join(COLUMNS)}) VALUES ('delete', {marks})",
        ((id_, *fields(function)) for id_, function in functions),
    )


def search(
    db: sqlite3.Connection, root_id: int, match: str, weights: Sequence[float], limit: int, where: Where
) -> list[Hit]:
    """The best functions for an FTS5 expression by weighted BM25, best first; ties go to the older id."""
    table = _table(root_id)
    marks = ", ".join("?" * len(weights))
    # With `rowid IN` SQLite would ask the index once for every function that passes the filter.
    each = f"SELECT 1 FROM functions f WHERE f.id = {table}.rowid AND {where.sql}"
    condition = f"AND EXISTS ({each})" if where.sql else ""
    rows = db.execute(
        f"SELECT rowid, -bm25({table}, {marks}) AS score FROM {table} WHERE {table} MATCH ? {condition}"
        " ORDER BY score DESC, rowid LIMIT ?",
        (*weights, match, *where.parameters, limit),
    )
    return [Hit(*row) for row in rows]


def shortest_symbols(db: sqlite3.Connection, root_id: int, match: str, limit: int, where: Where) -> list[int]:
    """Functions that match an FTS5 expression, those with the shortest symbols first: definitions before uses."""
    table = _table(root_id)
    condition = f"AND {where.sql}" if where.sql else ""
    rows = db.execute(
        f"SELECT f.id FROM {table} JOIN functions f ON f.id = {table}.rowid WHERE {table} MATCH ? {condition}"
        " ORDER BY length(f.symbol), f.id LIMIT ?",
        (match, *where.parameters, limit),
    )
    return [row[0] for row in rows]


def statistics(db: sqlite3.Connection, root_id: int, terms: Iterable[str]) -> LexicalStatistics:
    """Number of functions, mean words in each column, and in how many functions each term is."""
    statement = f"SELECT doc FROM {_vocabulary(root_id)} WHERE term = ?"
    df = {term: row[0] if (row := db.execute(statement, (term,)).fetchone()) else 0 for term in set(terms)}
    n_functions, *totals = _totals(db, root_id)
    return LexicalStatistics(n_functions, tuple(total / max(n_functions, 1) for total in totals), df)


def abbreviations_of(db: sqlite3.Connection, root_id: int, word: str) -> tuple[str, ...]:
    """What the root's code abbreviates a search word to."""
    n_functions = _totals(db, root_id)[0]
    return abbreviations.of_word(db, _table(root_id), _vocabulary(root_id), word, n_functions)


def verify(db: sqlite3.Connection, root_id: int) -> None:
    """Have FTS5 check its own structures; raises `sqlite3.DatabaseError` where they are damaged."""
    table = _table(root_id)
    db.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")


def _totals(db: sqlite3.Connection, root_id: int) -> list[int]:
    """FTS5's own count of rows and of the words in each column: the record with id 1 in its data table."""
    row = db.execute(f"SELECT block FROM {_table(root_id)}_data WHERE id = 1").fetchone()
    numbers = _varints(row[0]) if row else []
    return numbers + [0] * (1 + len(COLUMNS) - len(numbers))


def _varints(block: bytes) -> list[int]:
    numbers: list[int] = []
    value = 0
    for byte in block:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            numbers.append(value)
            value = 0
    return numbers


def _table(root_id: int) -> str:
    return f"lexical_{int(root_id)}"


def _vocabulary(root_id: int) -> str:
    return f"vocabulary_{int(root_id)}"
