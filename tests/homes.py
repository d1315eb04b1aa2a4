"""A project of sixty functions and the data folder that holds its index, for what may happen to both."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes import HashEmbedder

from indexer.config import Config
from indexer.engine import Index, open_index

N_FUNCTIONS = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    for number in range(12):
        text = "".join(f"def name_{number}_{n}(value):\n    return value + {n}\n\n\n" for n in range(5))
        (folder / f"f{number:02}.py").write_text(text)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def opened(folder: Path, home: Path, embedder: HashEmbedder | None = None) -> Index:
    return open_index(folder, config=Config(home=home), embedder=embedder or HashEmbedder())


def update(folder: Path, home: Path) -> int:
    """Update and close; how many texts were embedded."""
    embedder = HashEmbedder()
    with opened(folder, home, embedder) as index:
        index.update()
        assert index.status().coverage == 1.0
        assert index.status().functions == N_FUNCTIONS
    return embedder.encoded


def neighbours(folder: Path, home: Path) -> list[tuple[str, str, float]]:
    with opened(folder, home) as index:
        results = index.similar("f03.py", 2, limit=20).results
    return sorted((r.function.path, r.function.symbol, round(r.score, 3)) for r in results)


def scramble(data: bytes, place: float) -> bytes:
    """Three pages in the middle of the file filled with noise."""
    start = int(len(data) * place) // 4096 * 4096
    return data[:start] + random.Random(0).randbytes(3 * 4096) + data[start + 3 * 4096 :]


def start_python(program: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(_python(program, arguments), stdout=subprocess.PIPE)


def run_python(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_python(program, arguments), capture_output=True, text=True, timeout=120)


def _python(program: str, arguments: Sequence[object]) -> list[str]:
    here = Path(__file__).parent
    return [sys.executable, "-c", program, str(here), str(here.parent), *map(str, arguments)]
