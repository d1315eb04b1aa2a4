"""A small project in several languages and its index, fresh for every test."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import HashEmbedder

from indexer.config import Config
from indexer.engine import Index, open_index
from tests.trees import write_files

CODE = {
    "src/retry.py": '''
class RetryPolicy:
    """Waits longer after each failure."""

    def run(self, task):
        """Run a task until it succeeds."""
        return task()

def unrelated_sum(numbers):
    return sum(numbers)
''',
    "src/http/client.go": """
package http

// Fetch downloads a page over the network.
func Fetch(url string) (string, error) {
    return "", nil
}
""",
    "tests/test_retry.py": """
def test_retry_runs_twice():
    assert RetryPolicy().run(lambda: 1)
""",
    "README.md": "# Retry\n\nHow to wait between attempts.\n",
}


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as old at once, which otherwise takes two seconds; until then they are read a second time."""
    monkeypatch.setattr("indexer.update._RACY_NS", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "project", CODE)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(home=tmp_path / "home")


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def index(folder: Path, config: Config, embedder: HashEmbedder):
    with open_index(folder, config=config, embedder=embedder) as opened:
        yield opened


def symbols(index: Index, path: str) -> list[str]:
    return [function.symbol for function in index.functions_of(path)]
