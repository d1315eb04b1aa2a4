"""Files that kill, hang or exhaust the parser and a model that is broken: each costs only itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes import HashEmbedder

from indexer.config import Config
from indexer.engine import open_index
from indexer.errors import UserError
from tests.projects import config as config
from tests.projects import folder as folder
from tests.projects import settled as settled
from tests.projects import symbols
from tests.trees import write_files


@pytest.mark.parametrize(
    ("deed", "shared_bytes"),
    [
        ("os.abort()", 0),
        ("time.sleep(60)", 0),
        ("print('noise', flush=True) or os._exit(0)", 0),
        ("os.abort()", 1_000_000),
        ("[None for _ in iter(int, 1)]", 1_000_000),
    ],
    ids=["crash", "hang", "exit", "crash beside few files", "spin beside few files"],
)
def test_a_file_that_kills_or_hangs_the_parser_costs_only_itself(
    folder: Path,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    settled: None,
    deed: str,
    shared_bytes: int,
) -> None:
    from indexer import reading, workers

    write_files(folder, {f"f{n}.py": f"def name_{n}(): pass\n" for n in range(5)})
    (folder / "killer.py").write_text("def killer(): pass\n")
    crash = (
        "import os, time, indexer.parse as p; parse = p.parse;"
        f" p.parse = lambda path, text: {deed} if 'killer' in path else parse(path, text); "
    )
    monkeypatch.setattr(workers, "_START", workers._START.replace("from indexer", crash + "from indexer"))
    monkeypatch.setattr(workers, "SHARED", workers.Worker())
    monkeypatch.setattr(reading, "SHARED_BYTES", shared_bytes)
    monkeypatch.setattr(workers, "TIMEOUT_S", 10.0)
    with open_index(folder, config=config, embedder=HashEmbedder()) as index:
        assert index.update().files == 10
        assert [(item.path, item.reason) for item in index.status().skipped] == [
            ("killer.py", reading.CRASHED)
        ]
        assert symbols(index, "f3.py") == ["name_3"]
        # What the grammar does not give is found by its text, and a touched file is not parsed again.
        killer = index._store.functions_in(index._store.indexed_root(str(folder)).id, "killer.py")
        assert [stored.function.body for stored in killer] == ["def killer(): pass"]
        for age in (10, 20):
            os.utime(folder / "killer.py", (age, age))
            again = index.update()
            assert (again.parsed, [item.path for item in again.skipped]) == (0, ["killer.py"])


def test_a_model_that_cannot_be_loaded_leaves_the_words_indexed(folder: Path, config: Config) -> None:
    def broken():
        raise UserError("The model file is cut off. Install codewhere again.")

    with open_index(folder, config=config, embedder=broken) as index:
        with pytest.raises(UserError, match="cut off"):
            index.update()
        assert index.status().files == 4
        assert index.status().functions > 5


def test_a_small_file_that_makes_a_grammar_take_all_memory_costs_only_itself(
    folder: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten kilobytes of open brackets have made the grammar of C# take nearly two gigabytes."""
    from indexer import reading, workers

    # Less than the file needs, more than a worker has; and soon enough that this test is no burden.
    limit = workers._START.replace(
        "from indexer", "import indexer.workers as w; w._MOST_MEMORY = 600_000_000; from indexer"
    )
    monkeypatch.setattr(workers, "_START", limit)
    monkeypatch.setattr(workers, "SHARED", workers.Worker())
    (folder / "hostile.cs").write_bytes(b"<a" * 8000)
    with open_index(folder, config=config, embedder=HashEmbedder()) as index:
        index.update()
        assert [(item.path, item.reason) for item in index.status().skipped] == [
            ("hostile.cs", reading.CRASHED)
        ]
        assert symbols(index, "src/retry.py")


def test_a_scanner_that_never_comes_back_costs_only_its_file(folder: Path, config: Config) -> None:
    """The scanner of Kotlin's grammar waits for ever for what follows such an annotation at the end of a file."""
    from indexer import reading

    (folder / "Limits.kt").write_text("const val LIMIT // of items\n@")
    with open_index(folder, config=config, embedder=HashEmbedder()) as index:
        index.update()
        skipped = [(item.path, item.reason) for item in index.status().skipped]
        assert skipped == [("Limits.kt", reading.CRASHED)]
        assert symbols(index, "src/retry.py")
        (folder / "Limits.kt").write_text("@JvmField\nval limit = 3\n\nfun half() = limit / 2\n")
        index.update(paths=["Limits.kt"])
        assert "half" in symbols(index, "Limits.kt")


def test_a_text_that_a_grammar_dies_of_is_blocks_of_text() -> None:
    from indexer.reading import CRASHED, parse_safely

    parsed = parse_safely("Limits.kt", b"const val LIMIT // of items\n@")
    assert [function.body for function in parsed.functions] == ["const val LIMIT // of items\n@"]
    assert parsed.language == "kotlin"
    assert [error.message for error in parsed.errors] == [CRASHED]
    assert [function.symbol for function in parse_safely("a.py", b"def f(): pass").functions] == ["f"]
