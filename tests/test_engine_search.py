"""Questions to an index: words and vectors, filters, unsaved buffers, and queries nobody should send."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from fakes import HashEmbedder

from indexer.changed import changed_files
from indexer.config import Config
from indexer.engine import Index, open_index
from indexer.errors import UserError
from indexer.overlay import Overlay
from indexer.parse import parse
from indexer.types import SearchFilters
from tests.trees import write_files

FILES = {
    "src/retry.py": '''
class RetryPolicy:
    """Waits longer after each failure."""

    def run(self, task):
        """Run a task until it succeeds, sleeping between attempts."""
        while True:
            return task()
''',
    "src/spec.py": '''
def check_oldest(entry, cache):
    if entry.startswith("/"):
        raise ValueError(f"the oldest entry of {cache} must begin with a slash")


def slash(entry):
    """Whether an entry begins with a slash, the oldest first."""
    return must_begin(entry, slash="begin")
''',
    "src/cache.py": '''
def evict_oldest(cache):
    """Drop the entry that was used longest ago."""
    cache.pop(next(iter(cache)))
''',
    "src/http/client.go": """
package http

// Fetch downloads a page over the network.
func Fetch(url string) (string, error) {
    return "", nil
}
""",
    "src/pool.rs": """
pub fn acquire(pool: &Pool) -> Lease { pool.take() }

#[cfg(test)]
mod tests {
    #[test]
    fn acquire_gives_a_lease_of_the_pool() { acquire(&Pool::new()); }
}
""",
    "tests/test_retry.py": """
def test_run_retries_the_task():
    assert RetryPolicy().run(lambda: 1)
""",
}


@pytest.fixture(scope="module")
def embedder() -> HashEmbedder:
    return HashEmbedder(dim=128)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, embedder: HashEmbedder):
    folder = tmp_path_factory.mktemp("search")
    with make(folder, embedder) as opened:
        opened.update()
        yield opened


def make(folder: Path, embedder: object) -> Index:
    project = write_files(folder / "project", FILES)
    return open_index(project, config=Config(home=folder / "home"), embedder=embedder)


def symbols(index: Index, query: str, **options) -> list[str]:
    return [result.function.symbol for result in index.search(query, **options).results]


@pytest.mark.parametrize(
    ("query", "symbol"),
    [
        ("RetryPolicy.run", "RetryPolicy.run"),
        ("evict_oldest", "evict_oldest"),
        ("evictOldest", "evict_oldest"),
        ("download a page over the network", "Fetch"),
        ("which entry was used longest ago?", "evict_oldest"),
        ("run a task until it succeeds", "RetryPolicy.run"),
    ],
)
@pytest.mark.parametrize("dense", [True, False])
def test_names_and_sentences_find_their_function(index: Index, query: str, symbol: str, dense: bool) -> None:
    assert symbols(index, query, dense=dense)[0] == symbol


def test_a_result_says_where_it_is_and_why_it_is_there(index: Index) -> None:
    answer = index.search("evict the oldest cache entry", explain=True)
    best = answer.results[0]
    assert (best.root, best.function.path) == (str(index.root), "src/cache.py")
    assert best.why.dense_rank is not None and best.why.lexical_rank is not None
    assert set(best.why.terms) & {"evict", "cache", "cach"}
    assert answer.coverage == 1.0
    assert answer.elapsed_ms > 0
    assert answer.notes == ()
    assert answer.to_json()["results"][0]["start_line"] == 2


def test_answers_repeat(index: Index) -> None:
    first, second = (index.search("task cache network", limit=20) for _ in range(2))
    assert first.results == second.results


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("typed", [False, True], ids=["on disk", "in a buffer"])
def test_a_pasted_message_finds_what_has_its_words_together(index: Index, dense: bool, typed: bool) -> None:
    path = "src/spec.py"
    overlay = Overlay({path: parse(path, FILES[path].encode())} if typed else {})
    message = "ValueError: the oldest entry of <Lru 0x7f> must begin with a slash"
    assert symbols(index, message, dense=dense, overlay=overlay)[0] == "check_oldest"
    best = index.search(message, dense=dense, overlay=overlay, explain=True).results[0]
    assert best.why.signals["verbatim"] > 0


def test_the_limit_holds(index: Index) -> None:
    assert len(index.search("task cache network", limit=2).results) == 2
    assert len(index.search("task cache network", limit=1000).results) > 3


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("run task lang:python -tests", SearchFilters()),
        ("run task lang:Py -tests", SearchFilters()),
        ("run task", SearchFilters(languages=("python",), no_tests=True)),
        ("run task", SearchFilters(languages=("Python",), kinds=("Method",), no_tests=True)),
        ("run task -tests", SearchFilters(paths=("src/retry.py",))),
        ("run task path:src/*.py", SearchFilters()),
        ("run task -lang:Rust -lang:go -kind:Class -tests -symbol:oldest", SearchFilters()),
    ],
)
def test_filters_in_the_query_and_beside_it_hold(index: Index, query: str, filters: SearchFilters) -> None:
    results = index.search(query, filters=filters, limit=50).results
    assert results[0].function.symbol == "RetryPolicy.run"
    assert not [r for r in results if r.function.language != "python" or r.demoted == "test"]


@pytest.mark.parametrize("typed", [False, True], ids=["on disk", "in a buffer"])
def test_paths_given_and_paths_written_must_both_hold(index: Index, typed: bool) -> None:
    overlay = Overlay({path: parse(path, FILES[path].encode()) for path in FILES} if typed else {})

    def found(query: str, *paths: str) -> set[str]:
        asked = SearchFilters(paths=paths)
        answer = index.search(query, filters=asked, overlay=overlay, limit=50)
        return {result.function.path for result in answer.results}

    assert found("task path:*.go", "/src/http/") == {"src/http/client.go"}
    assert found("task path:src/*.py path:*.go", "/src/http/") == {"src/http/client.go"}
    assert not found("task path:src/*.py", "/src/http/")


@pytest.mark.parametrize("typed", [False, True], ids=["on disk", "in a buffer"])
def test_tests_among_other_code_rank_and_filter_as_tests_do(index: Index, typed: bool) -> None:
    path = "src/pool.rs"
    overlay = Overlay({path: parse(path, FILES[path].encode())} if typed else {})
    asked = {"overlay": overlay, "limit": 50}
    results = index.search("acquire gives a lease of the pool", **asked).results
    assert results[0].function.symbol == "acquire"
    assert {r.demoted for r in results if r.function.symbol.startswith("tests::acquire")} == {"test"}
    left = symbols(index, "acquire gives a lease -tests", **asked)
    assert left[0] == "acquire" and not [symbol for symbol in left if symbol.startswith("tests::")]


def test_filters_that_leave_nothing_are_explained(index: Index) -> None:
    answer = index.search("task", filters=SearchFilters(languages=("cobol",)))
    assert answer.results == ()
    assert any("filters" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("query", "filters", "note"),
    [
        ('"the entry oldest"', SearchFilters(), "quoted words"),
        ("???", SearchFilters(), "no words"),
        ("lang:python", SearchFilters(), "no words"),
        ("task", SearchFilters(paths=("/new/",)), "codewhere index"),
        ("task lang:klingon", SearchFilters(), "Unknown language 'klingon'. Known: bash"),
        (
            "task -lang:md -lang:klingon path:/new/",
            SearchFilters(),
            "Unknown language 'klingon'. Known: bash",
        ),
        ("task kind:func", SearchFilters(), "Unknown kind 'func'. Known: function"),
    ],
)
def test_an_empty_answer_says_why(index: Index, query: str, filters: SearchFilters, note: str) -> None:
    answer = index.search(query, filters=filters)
    assert answer.results == () and any(note in said for said in answer.notes)


def test_an_answer_says_that_its_folder_is_gone(tmp_path: Path, embedder: HashEmbedder) -> None:
    with make(tmp_path, embedder) as index:
        index.update()
        shutil.rmtree(index.root)
        answer = index.search("evict oldest cache")
        assert answer.results[0].function.symbol == "evict_oldest"
        assert [note for note in answer.notes if "gone" in note] == list(answer.notes)


def test_an_answer_says_which_files_changed_since(tmp_path: Path, embedder: HashEmbedder) -> None:
    with make(tmp_path, embedder) as index:
        index.update()
        path = index.root / "src/cache.py"
        path.write_text(path.read_text() + "\n")
        (index.root / "src/retry.py").touch()
        [note] = index.search("evict oldest cache retry task", limit=50).notes
        assert note == "src/cache.py changed since it was indexed. Run `codewhere index`."
        typed = Overlay({"src/cache.py": parse("src/cache.py", path.read_bytes())})
        assert index.search("evict oldest cache", overlay=typed).notes == ()
        path.unlink()
        assert "src/cache.py" in index.search("evict oldest cache").notes[0]


@pytest.mark.parametrize("query", ["", "   ", "\n\t\r", "\0\x1b\x07", "\udc80"])
def test_an_empty_query_is_a_clear_error(index: Index, query: str) -> None:
    with pytest.raises(UserError, match="empty"):
        index.search(query)


@pytest.mark.parametrize(
    "query",
    [
        "evict\0oldest\x1b[31m cache",
        'evict " oldest AND OR NOT ( ^ * : cache',
        "evict oldest cache {symbol} -body : NEAR(a b)",
        "evict oldest cache ' ; DROP TABLE files; --",
        "evict oldest cache \ud800 名前 кэш",
    ],
)
def test_odd_signs_in_a_query_do_no_harm(index: Index, query: str) -> None:
    assert symbols(index, query)[0] == "evict_oldest"


def test_a_query_of_a_hundred_kilobytes_is_cut_with_a_note(index: Index) -> None:
    answer = index.search("evict oldest cache " + "word " * 20_000)
    assert any("only the first 4,000" in note for note in answer.notes)
    assert answer.results[0].function.symbol == "evict_oldest"


def test_a_folder_never_indexed_is_a_clear_error(tmp_path: Path) -> None:
    with make(tmp_path, HashEmbedder()) as index, pytest.raises(UserError, match="codewhere index"):
        index.search("anything")


def test_an_index_without_functions_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with open_index(tmp_path / "empty", config=Config(home=tmp_path / "h"), embedder=HashEmbedder()) as index:
        index.update()
        answer = index.search("anything")
    assert answer.results == ()
    assert any("Nothing is indexed" in note for note in answer.notes)


def test_words_answer_while_there_are_no_vectors_and_no_model_is_loaded(tmp_path: Path) -> None:
    def never():
        raise AssertionError("the model was loaded")

    with make(tmp_path, never) as index:
        index.update(embed=False)
        answer = index.search("evict oldest")
        assert answer.results[0].function.symbol == "evict_oldest"
        assert answer.coverage == 0.0
        assert any("No vectors yet" in note for note in answer.notes)


def test_a_model_that_cannot_be_used_is_said_and_words_answer(tmp_path: Path) -> None:
    with make(tmp_path, HashEmbedder()) as index:
        index.update()

        def broken():
            raise OSError("weights.safetensors: checksum is wrong")

        index.embedder = broken
        answer = index.search("evict oldest")
        assert answer.results[0].function.symbol == "evict_oldest"
        assert any("checksum is wrong" in note for note in answer.notes)
        index.embedder = None
        assert index.search("evict oldest").results[0].why.dense_rank is None


def test_vectors_of_another_model_are_not_mixed_in(tmp_path: Path) -> None:
    with make(tmp_path, HashEmbedder(dim=32)) as index:
        index.update()
    with make(tmp_path, HashEmbedder(dim=16)) as index:
        answer = index.search("evict oldest")
        assert any("indexed with the model" in note for note in answer.notes)
        assert answer.coverage == 0.0
        assert answer.results[0].why.dense_rank is None
        assert answer.results[0].function.symbol == "evict_oldest"


def test_a_search_during_an_update_answers_from_what_is_there(tmp_path: Path) -> None:
    reached, go_on = threading.Event(), threading.Event()

    class Slow(HashEmbedder):
        def encode_code(self, texts):
            if self.encoded:
                reached.set()
                assert go_on.wait(20)
            return super().encode_code(texts)

    with make(tmp_path, Slow()) as index:
        thread = threading.Thread(target=lambda: index.update(batch_size=2))
        thread.start()
        try:
            assert reached.wait(20)
            answer = index.search("evict oldest")
            assert 0 < answer.coverage < 1
            assert answer.results[0].function.symbol == "evict_oldest"
        finally:
            go_on.set()
            thread.join()
        assert index.search("evict oldest").coverage == 1.0


def test_only_changed_files_are_found_where_that_is_asked(tmp_path: Path) -> None:
    with make(tmp_path, HashEmbedder()) as index:
        root = tmp_path / "project"
        with pytest.raises(UserError, match="git"):
            index.update()
            index.search("task", filters=SearchFilters(changed_only=True))
        for command in ("init -q", "add .", "-c user.name=n -c user.email=e commit -q -m m"):
            subprocess.run(["git", *command.split()], cwd=root, check=True)
        (root / "src/cache.py").write_text(FILES["src/cache.py"] + "# edited\n")
        (root / "src/new.py").write_text("def fresh_cache_entry():\n    pass\n")
        index.update()
        results = index.search(
            "cache task network", limit=50, filters=SearchFilters(changed_only=True)
        ).results
        assert {r.function.path for r in results} == {"src/cache.py", "src/new.py"}


def git(folder: Path, *command: str) -> None:
    who = ("-c", "user.name=n", "-c", "user.email=e", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *who, *command], cwd=folder, check=True, capture_output=True)


def test_files_of_submodules_count_as_changed_by_the_commit_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, project = tmp_path / "library", tmp_path / "project"
    write_files(library, {"src/a.py": "def first():\n    pass\n", "b.py": "def second():\n    pass\n"})
    write_files(project, {"main.py": "def main():\n    pass\n"})
    for folder in (library, project):
        git(folder, "init", "-q")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "m")
    git(project, "submodule", "add", "-q", str(library), "vendor/library")
    assert changed_files(project) == {".gitmodules", "vendor/library/src/a.py", "vendor/library/b.py"}
    git(project, "commit", "-qam", "library")
    assert changed_files(project) == frozenset()

    inner = project / "vendor/library"
    (inner / "src/a.py").write_text("def first():\n    return 1\n")
    (inner / "new.py").write_text("def third():\n    pass\n")
    assert changed_files(project) == {"vendor/library/src/a.py", "vendor/library/new.py"}
    with monkeypatch.context() as patch:
        patch.setenv("GIT_DIR", str(library / ".git"))  # as Git's hooks find them
        patch.setenv("GIT_INDEX_FILE", ".git/index")
        assert changed_files(project) == {"vendor/library/src/a.py", "vendor/library/new.py"}
    assert changed_files(project / "vendor") == {"library/src/a.py", "library/new.py"}
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "work")
    assert changed_files(project) == {"vendor/library/src/a.py", "vendor/library/new.py"}
    assert changed_files(inner) == frozenset()


@pytest.mark.parametrize("name", ["evil", "a=b"])
@pytest.mark.parametrize("key", ["clean", "process"])
def test_what_a_repository_says_to_run_is_not_run(tmp_path: Path, name: str, key: str) -> None:
    project, ran = tmp_path / "project", tmp_path / "ran"
    inner = project / "inner"
    for place in (inner, project):
        write_files(place, {"a.py": "def first():\n    pass\n"})
        git(place, "init", "-q")
        git(place, "add", ".")
        git(place, "commit", "-qm", "start")
    for place in (inner, project):
        (place / ".git/info/attributes").write_text(f"*.py filter={name}\n")
        for setting in (f"filter.{name}.{key}", "core.fsmonitor"):
            git(place, "config", setting, f"touch '{ran}'; cat")
        (place / "a.py").write_text("def other():\n    pass\n")
    assert changed_files(project) == {"a.py", "inner/a.py"}
    assert not ran.exists()


BUFFER = b'''
def evict_newest(cache):
    """Drop the entry that was written last."""
    cache.popitem()
'''


def test_an_unsaved_buffer_replaces_its_file_in_a_search(index: Index) -> None:
    overlay = Overlay({"src/cache.py": parse("src/cache.py", BUFFER)})
    found = symbols(index, "evict entry from cache", limit=50, overlay=overlay)
    assert found[0] == "evict_newest"
    assert "evict_oldest" not in found
    without = symbols(index, "evict entry from cache -symbol:newest", limit=50, overlay=overlay)
    assert without and "evict_newest" not in without
    assert symbols(index, "evict entry from cache")[0] == "evict_oldest", "the index itself is unchanged"


def test_a_buffer_is_found_by_vectors_once_it_is_embedded(index: Index, embedder: HashEmbedder) -> None:
    overlay = Overlay({"src/cache.py": parse("src/cache.py", BUFFER)})
    words_only = index.search("popitem cache", overlay=overlay).results[0]
    assert (words_only.function.symbol, words_only.why.dense_rank) == ("evict_newest", None)
    before = embedder.encoded
    index.embed_overlay(overlay)
    assert embedder.encoded == before + len(overlay.files["src/cache.py"].functions)
    index.embed_overlay(overlay)
    both = index.search("popitem cache", overlay=overlay).results[0]
    assert both.why.dense_rank == 1
    similar = index.similar("src/cache.py", 3, overlay=overlay)
    assert all(result.function.path != "src/cache.py" for result in similar.results)


def test_what_was_typed_a_moment_ago_is_not_behind_what_has_vectors(
    index: Index, embedder: HashEmbedder
) -> None:
    code = b"def whisper_gently(ear):\n    return ear.quiet\n"
    overlay = Overlay({"src/new.py": parse("src/new.py", code)})
    results = index.search("whisper gently", overlay=overlay).results
    assert results[0].function.symbol == "whisper_gently" and results[0].why.dense_rank is None
    index.embed_overlay(overlay)
    assert index.search("whisper gently", overlay=overlay).results[0].why.dense_rank is not None


def test_a_function_that_is_not_embedded_yet_is_judged_by_its_words(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"f{number:02}.py").write_text(
            f"def send_{number}(mail):\n    return mail.send({number})\n"
        )
    with open_index(tmp_path, config=Config(home=tmp_path / "home"), embedder=HashEmbedder()) as index:
        index.update()
        (tmp_path / "new.py").write_text("def polish_silver(spoon):\n    return spoon.rub()\n")
        index.update(embed=False)
        answer = index.search("polish silver")
        assert answer.coverage < 1 and answer.results[0].function.symbol == "polish_silver"
        known = index._store.without_vectors(
            index._store.indexed_root(str(tmp_path)).fingerprint, range(1, 99)
        )
        assert len(known) == 1


def test_an_unchanged_buffer_needs_no_embedding(index: Index, embedder: HashEmbedder) -> None:
    text = FILES["src/cache.py"].encode()
    overlay = Overlay({"src/cache.py": parse("src/cache.py", text)})
    before = embedder.encoded
    assert index.search("evict oldest", overlay=overlay).results[0].why.dense_rank == 1
    index.embed_overlay(overlay)
    assert embedder.encoded == before


def test_an_unchanged_buffer_ranks_as_its_file_does(index: Index) -> None:
    overlay = Overlay({name: parse(name, text.encode()) for name, text in FILES.items() if "retry" in name})
    for query in ("run a task until it succeeds", "retry policy", "cache"):
        plain = index.search(query, limit=50).results
        buffered = index.search(query, limit=50, overlay=overlay).results
        assert [r.function for r in buffered] == [r.function for r in plain]


def test_an_empty_buffer_hides_its_file(index: Index) -> None:
    overlay = Overlay({"src/cache.py": parse("src/cache.py", b"")})
    assert "evict_oldest" not in symbols(index, "evict oldest", overlay=overlay, limit=50)


def test_a_search_can_be_cancelled(index: Index) -> None:
    answer = index.search("evict oldest", cancelled=lambda: True)
    assert answer.results[0].why.dense_rank is None


def test_a_name_finds_its_definition_among_very_many_uses(tmp_path: Path) -> None:
    """Uses fill every place among the candidates, because each says the name more often in fewer words."""
    definition = (
        'class Visitor:\n    """' + "Walks through a tree, node by node. " * 40 + '"""\n    depth = 0\n'
    )
    uses = [f"def visitor_visitor_{n}(visitor):\n    return visitor.visitor(visitor)\n" for n in range(900)]
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "walk.py").write_text(definition)
    (folder / "uses.py").write_text("\n\n".join(uses))
    config = Config(home=tmp_path / "home")
    with open_index(folder, config=config, embedder=HashEmbedder()) as index:
        index.update(embed=False)
        first = index.search("Visitor", dense=False).results[0].function
    assert (first.path, first.kind) == ("walk.py", "class")
