"""`codewhere models`: which embedding models there are, and one for other tools."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.render import bytes_text, print_json, print_line, print_table, say

if TYPE_CHECKING:
    from indexer.embedding.spec import ModelSpec

_HEADER = ["NAME", "DIMENSIONS", "TOKENS", "DISK", "LICENCE", "BACKBONE"]


def list_models(as_json: bool) -> None:
    """The models in this installation; others are named by folder or hub id."""
    from indexer.embedding import SHIPPED, available_models
    from indexer.embedding.spec import ModelSpec

    specs = [(ModelSpec.read(SHIPPED / name), _size(name)) for name in available_models()]
    if as_json:
        print_json({"models": [{**asdict(spec), "size_bytes": size} for spec, size in specs]})
        return
    if not specs:
        say("No model is shipped with this installation.", "yellow")
    else:
        print_table([_row(spec, size) for spec, size in specs], _HEADER)
    print_line(
        "Any other: --model FOLDER, or --model OWNER/NAME for a decoder embedder of the Hugging Face hub."
    )


def export_model(name: str, folder: Path) -> None:
    """Write a model as a sentence-transformers folder."""
    from indexer.embedding.export import export

    export(name, folder.expanduser())
    print_line(f"Wrote {folder}: SentenceTransformer({str(folder)!r}), encode_query and encode_document.")


def _size(name: str) -> int:
    from indexer.embedding import SHIPPED

    return sum(path.stat().st_size for path in (SHIPPED / name).iterdir() if path.is_file())


def _row(spec: ModelSpec, size: int) -> list[str]:
    dims = ", ".join(map(str, spec.dims))
    return [spec.name, dims, str(spec.max_tokens), bytes_text(size), spec.licence, spec.backbone]
