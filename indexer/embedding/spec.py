"""The model spec: a JSON file beside the weights that says how a model reads texts and what it is."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from indexer.embedding import SHIPPED
from indexer.errors import UserError

SPEC_FILE = "codewhere.json"
DRAFT_FILE = "draft.safetensors"
"""Beside the weights where a model has drafts (`indexer.embedding.draft`)."""
SCALE = ".scale"
"""What follows the name of an int8 matrix in the name of its scales, one a row."""
FORMAT = 1
BACKBONE_VARIABLE = "CODEWHERE_BACKBONE"
"""Names the folder of an adapter's backbone, for machines that cannot reach the hub."""
_GLANCE = 1 << 20


def cure(folder: Path) -> str:
    """What helps where the files of a model are broken."""
    if folder.resolve().parent == SHIPPED.resolve():
        return "install codewhere again"
    return "copy its folder here once more, or make it again"


@dataclass(frozen=True)
class ModelSpec:
    """How an embedder reads texts, and where it comes from."""

    name: str
    backend: str
    """`decoder` for our own packed forward pass, `transformers` for any other decoder."""
    backbone: str
    """Hub id of the model that this one is, was made from, or adapts."""
    query_markers: tuple[str, str]
    """Tokens before and after a query; an empty string is none."""
    code_markers: tuple[str, str]
    query_prompt: str = ""
    code_prompt: str = ""
    pooling: str = "last"
    """`last` token or `mean` over the tokens."""
    padding_side: str = "left"
    max_tokens: int = 256
    """Longest text in tokens, markers included; longer functions are embedded in overlapping windows."""
    dims: tuple[int, ...] = ()
    """Sizes the vectors may be cut to, the full one first."""
    config: dict[str, Any] = field(default_factory=dict)
    """Sizes of the decoder, for the `decoder` backend."""
    adapter: str = ""
    """File of a LoRA adapter beside the spec; empty for none."""
    reads_glosses: bool = False
    """Whether queries in other natural languages are read in English too (`indexer.rank.glossary`)."""
    licence: str = ""
    training: str = ""
    scores: dict[str, float] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each file beside the spec."""
    format: int = FORMAT

    @property
    def dim(self) -> int:
        """Size of the full vectors."""
        return self.dims[0]

    @property
    def has_drafts(self) -> bool:
        """Whether vectors can be guessed before they are computed, for which the token embedding must be at hand."""
        return DRAFT_FILE in self.files and self.backend == "decoder" and not self.adapter

    @classmethod
    def read(cls, folder: Path) -> ModelSpec:
        """The spec in a model folder; `UserError` says what is wrong with it."""
        path = folder / SPEC_FILE
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            plain: dict[str, Any] = {
                name: tuple(v) if isinstance(v, list) else v for name, v in values.items()
            }
            spec = cls(**plain)
        except (OSError, ValueError, TypeError) as error:
            raise UserError(
                f"the model in {folder} cannot be read: {path.name}: {error}; {cure(folder)}"
            ) from error
        if spec.format > FORMAT:
            raise UserError(f"the model in {folder} is of a newer format; update codewhere to use it")
        return spec

    def write(self, folder: Path) -> None:
        """Write the spec into the folder with the checksums of the files that lie there."""
        values = {**asdict(self), "files": _checksums(folder)}
        (folder / SPEC_FILE).write_text(
            json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )

    def verify(self, folder: Path) -> None:
        """Compare every file with its checksum; `UserError` names the one that is missing or changed."""
        for name, expected in self.files.items():
            path = folder / name
            if not path.is_file():
                raise UserError(f"the model {self.name!r} lacks the file {path}; {cure(folder)}")
            if sha256(path) != expected:
                raise UserError(
                    f"the file {path} of the model {self.name!r} was changed or cut short "
                    f"(its checksum differs); {cure(folder)}"
                )

    def fingerprint(self, dim: int | None = None, elsewhere: Path | None = None) -> str:
        """Hex digest of all that decides the vectors; scores, texts about the model and what it is asked do not.

        :param dim: What the vectors are cut to; it follows a dash where it is not the full size.
        :param elsewhere: Folder of weights that `files` does not cover: the backbone's, or a model's that is not ours.
        """
        read = {
            key: value
            for key, value in asdict(self).items()
            if key not in ("name", "licence", "training", "scores", "dims", "reads_glosses")
        }
        # Drafts stand in for vectors until those are there.
        read["files"] = {name: digest for name, digest in self.files.items() if name != DRAFT_FILE}
        blob = json.dumps(read, sort_keys=True).encode()
        if elsewhere is not None:
            blob += b"".join(_glance(path) for path in sorted(elsewhere.glob("*.safetensors")))
        cut = f"-{dim}" if dim not in (None, self.dim) else ""
        return hashlib.blake2b(blob, digest_size=8).hexdigest() + cut


def find_backbone(spec: ModelSpec) -> Path | None:
    """The folder of the backbone on this machine: the one that is named, else the hub's local copy; None without."""
    named = os.environ.get(BACKBONE_VARIABLE)
    if named:
        return Path(named) if Path(named).is_dir() else None
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(spec.backbone, "config.json")
    return Path(cached).parent if isinstance(cached, str) else None


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as stream:
        digest = hashlib.sha256()
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _glance(path: Path) -> bytes:
    """Digest of a file's size, start and end: other weights differ there, and gigabytes need not be read for it."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        digest = hashlib.blake2b(str(size).encode())
        for place in (0, max(0, size - _GLANCE)):
            stream.seek(place)
            digest.update(stream.read(_GLANCE))
    return digest.digest()


def _checksums(folder: Path) -> dict[str, str]:
    kept = (".safetensors", ".json")
    return {
        path.name: sha256(path)
        for path in sorted(folder.iterdir())
        if path.suffix in kept and path.name != SPEC_FILE
    }
