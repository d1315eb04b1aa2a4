"""What must never be trained on: code of measuring sets, and repositories that a benchmark searches."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_SPACE = re.compile(r"\s+")
_COMMENT = re.compile(r"(?m)(?:^|\s)(?://|#(?!\[|include)|--\s).*$")
_LITERAL = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|\b\d[\w.]*")


@dataclass(frozen=True)
class Blocklist:
    """Hashes of forbidden code, lower-case ``owner/name`` of forbidden repositories, names of forbidden tasks."""

    codes: frozenset[str] = frozenset()
    repositories: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    """Function names of the tasks of a measuring set, letters and digits only, so that any spelling is found."""

    def blocks_code(self, code: str) -> bool:
        """Whether this code, or its part after the signature line, occurs in the blocklist."""
        return any(key in self.codes for key in code_keys(code))

    def blocks_repository(self, name: str) -> bool:
        """Whether ``owner/name`` is forbidden; ``owner+name`` as a folder is called means the same."""
        return name.lower().replace("+", "/") in self.repositories

    def blocks_name(self, name: str) -> bool:
        """Whether a function of this name, in any style of writing names, is the answer to a forbidden task."""
        return _plain(name) in self.names

    def save(self, path: Path) -> None:
        """Write as JSON."""
        rows = {key: sorted(getattr(self, key)) for key in ("codes", "repositories", "names")}
        path.write_text(json.dumps(rows, indent=0), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Blocklist:
        """Read what `save` wrote."""
        rows = json.loads(path.read_text(encoding="utf-8"))
        return cls(*(frozenset(rows[key]) for key in ("codes", "repositories", "names")))

    @classmethod
    def build(cls, codes: Iterable[str], repositories: Iterable[str], names: Iterable[str] = ()) -> Blocklist:
        """From source texts, repository names and function names."""
        keys = frozenset(key for code in codes for key in code_keys(code))
        blocked = frozenset(name.strip().lower() for name in repositories if name.strip())
        return cls(keys, blocked, frozenset(map(_plain, names)))


def code_keys(code: str) -> list[str]:
    """Keys under which equal code is found again: whole, and without its signature line where enough is left."""
    bare = _COMMENT.sub("", code)
    texts = [code, bare]
    rest = bare.strip().split("\n", 1)
    if len(rest) == 2 and len(_SPACE.sub("", rest[1])) >= 60:
        texts.append(rest[1])
    return [_digest(_SPACE.sub("", text)) for text in dict.fromkeys(texts)]


def shape_key(code: str) -> str:
    """Equal for code that differs only in literals, comments, spaces and letter case: near-duplicates."""
    return _digest(_SPACE.sub("", _LITERAL.sub("0", _COMMENT.sub("", code))).lower())


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
