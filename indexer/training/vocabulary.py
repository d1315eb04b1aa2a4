"""Cutting a byte-level BPE vocabulary to the tokens that occur."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

MARKERS = ("[BOQ]", "[EOQ]", "[BOD]", "[EOD]")
"""Begin and end of a query, begin and end of a document, as in the paper."""


def count_tokens(tokenizer_json: str, texts: Iterable[str]) -> Counter[int]:
    """How often each token id occurs in the texts."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(tokenizer_json)
    counts: Counter[int] = Counter()
    for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
        counts.update(encoding.ids)
    return counts


def whole_vocabulary(tokenizer_json: str) -> tuple[str, list[int]]:
    """As `cut_vocabulary`, with every token kept."""
    from tokenizers import AddedToken, Tokenizer

    end = _end_of_text(json.loads(tokenizer_json))
    tokenizer = Tokenizer.from_str(tokenizer_json)
    size = tokenizer.get_vocab_size()
    tokenizer.add_special_tokens([AddedToken(marker, normalized=False) for marker in MARKERS])
    return tokenizer.to_str(), [*range(size), *[end] * len(MARKERS)]


def cut_vocabulary(tokenizer_json: str, counts: Counter[int], size: int) -> tuple[str, list[int]]:
    """A tokenizer of about `size` tokens and, for each of its ids, the old id.

    Kept are the 256 bytes, the most frequent tokens and whatever merges lead to them, so that every text can
    still be written. The markers come last; their old id is that of the end-of-text token, to start from.
    """
    table = json.loads(tokenizer_json)
    vocabulary: dict[str, int] = table["model"]["vocab"]
    merges = [
        tuple(merge) if isinstance(merge, list) else tuple(merge.split(" "))
        for merge in table["model"]["merges"]
    ]
    parents = {left + right: (left, right) for left, right in merges}
    names = {number: token for token, number in vocabulary.items()}
    kept = {token for token in vocabulary if len(token) == 1}
    for number, _ in counts.most_common():
        if len(kept) >= size - len(MARKERS):
            break
        if number in names:
            _keep_with_parts(names[number], parents, kept)
    ordered = sorted(kept, key=vocabulary.__getitem__)
    old_ids = [vocabulary[token] for token in ordered] + [_end_of_text(table)] * len(MARKERS)
    table["model"]["vocab"] = {token: number for number, token in enumerate(ordered)}
    table["model"]["merges"] = [
        list(merge) for merge in merges if merge[0] in kept and merge[1] in kept and "".join(merge) in kept
    ]
    table["added_tokens"] = [_marker(token, len(ordered) + place) for place, token in enumerate(MARKERS)]
    table["post_processor"] = None
    return json.dumps(table, ensure_ascii=False), old_ids


def _keep_with_parts(token: str, parents: dict[str, tuple[str, str]], kept: set[str]) -> None:
    waiting = [token]
    while waiting:
        part = waiting.pop()
        if part not in kept:
            kept.add(part)
            waiting.extend(parents.get(part, ()))


def _end_of_text(table: dict[str, Any]) -> int:
    special = [row["id"] for row in table.get("added_tokens", []) if row.get("special")]
    return int(special[0]) if special else 0


def _marker(token: str, number: int) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": number, "content": token, **flags}
