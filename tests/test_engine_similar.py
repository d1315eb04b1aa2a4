"""Functions similar to a function or to a text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from indexer.config import Config
from indexer.engine import Index, open_index
from indexer.errors import UserError
from indexer.types import SearchFilters
from tests.projects import config as config
from tests.projects import embedder as embedder
from tests.projects import folder as folder
from tests.projects import index as index
from tests.trees import write_files


def test_similar_finds_the_neighbours_and_not_the_function_itself(index: Index, folder: Path) -> None:
    write_files(folder, {"twin.py": "def unrelated_sum(numbers):\n    return sum(numbers) + 0\n"})
    index.update()
    answer = index.similar("src/retry.py", 10)
    assert answer.results[0].function.path == "twin.py"
    assert answer.results[0].score > 0.9
    assert all(
        (r.function.path, r.function.symbol) != ("src/retry.py", "unrelated_sum") for r in answer.results
    )
    assert answer.coverage == 1.0
    assert len(index.similar("src/retry.py", 10, limit=1).results) == 1
    assert index.similar("src/retry.py", 10, min_score=1.1).results == ()


def test_similar_to_a_function_are_functions_and_no_blocks_unless_asked(index: Index, folder: Path) -> None:
    write_files(folder, {"script.py": "from retry import unrelated_sum\n\nsum(numbers)\nsum(numbers)\n"})
    index.update()

    def paths(**given: Any) -> set[str]:
        return {result.function.path for result in index.similar("src/retry.py", 10, **given).results}

    assert "script.py" not in paths()
    assert paths(filters=SearchFilters(kinds=("module",))) == {"script.py"}
    answer = index.similar("", 0, text="sum(numbers)", language="python")
    assert answer.results[0].function.path == "script.py"


def test_similar_needs_no_model_while_the_store_has_the_vectors(
    folder: Path, config: Config, index: Index
) -> None:
    index.update()

    def never():
        raise AssertionError("the model was loaded")

    with open_index(folder, config=config, embedder=never) as other:
        assert other.similar("src/retry.py", 9).results


def test_similar_takes_any_text(index: Index) -> None:
    index.update()
    answer = index.similar("", 0, text="def total(numbers): return sum(numbers)", language="python")
    assert answer.results[0].function.symbol == "unrelated_sum"


@pytest.mark.parametrize(("path", "line"), [("src/retry.py", 9999), ("nowhere.py", 1), ("src/retry.py", 0)])
def test_similar_without_a_function_at_the_line_is_a_clear_error(index: Index, path: str, line: int) -> None:
    index.update()
    with pytest.raises(UserError, match="no indexed function"):
        index.similar(path, line)
