"""The store against a plain model of it, through any order of operations that Hypothesis thinks of."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from fakes import HashEmbedder
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from indexer.rank.tokens import tokenize
from indexer.store import FileRow, Store, check, hnsw
from indexer.types import Function

ROOTS = ("one", "two")
PATHS = ("a.py", "b/c.py", "b/\udcff.py")
WORDS = ("alpha", "beta", "gamma", "delta")
EMBEDDER = HashEmbedder(dim=16)
QUERY = EMBEDDER.encode_queries(["alpha beta"])[0]

roots = st.sampled_from(ROOTS)
paths = st.sampled_from(PATHS)
bodies = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
files = st.lists(st.tuples(st.sampled_from(WORDS), bodies, st.sampled_from(["", "gamma ray"])), max_size=4)


class StoreMachine(RuleBasedStateMachine):
    """Each root maps paths to functions, and there is a set of embedded texts: that is all the store is."""

    def __init__(self) -> None:
        super().__init__()
        # So small that the few functions of a test need a graph.
        self.exact_limit, hnsw.EXACT_LIMIT = hnsw.EXACT_LIMIT, 3
        self.folder = Path(tempfile.mkdtemp(prefix="codewhere-test-"))
        for name in ROOTS:
            (self.folder / name).mkdir()
        self.store = Store(self.folder / "home")
        self.files: dict[str, dict[str, list[Function]]] = {name: {} for name in ROOTS}
        self.embedded: set[str] = set()

    def teardown(self) -> None:
        hnsw.EXACT_LIMIT = self.exact_limit
        self.store.close()
        shutil.rmtree(self.folder)

    def root_id(self, name: str) -> int:
        return self.store.ensure_root(str(self.folder / name))

    def functions(self, name: str) -> list[Function]:
        return [function for path in sorted(self.files[name]) for function in self.files[name][path]]

    @rule(name=roots, path=paths, file=files)
    def write(self, name: str, path: str, file: list[tuple[str, str, str]]) -> None:
        functions = [
            Function(
                path,
                "python",
                "function",
                symbol,
                place * 10,
                place * 10 + 9,
                place,
                place + 1,
                doc,
                "",
                body,
            )
            for place, (symbol, body, doc) in enumerate(file)
        ]
        row = FileRow(0, path, len(file), len(file), b"h", "", 1)
        self.store.write_batch(self.root_id(name), parsed=[(row, functions)])
        self.files[name][path] = functions

    @rule(name=roots, path=paths)
    def remove(self, name: str, path: str) -> None:
        root_id = self.root_id(name)
        row = self.store.files(root_id).get(path)
        self.store.write_batch(root_id, removed=[row] if row else [])
        self.files[name].pop(path, None)

    @rule(name=roots, most=st.integers(1, 5))
    def embed(self, name: str, most: int) -> None:
        root_id = self.root_id(name)
        model = self.store.use_model(root_id, EMBEDDER.fingerprint, EMBEDDER.name, EMBEDDER.dim)
        texts = self.store.texts(model, self.store.missing(root_id, model)[:most])
        assert not set(texts.values()) & self.embedded, "nothing is embedded twice"
        self.store.add_vectors(model, [(id_, EMBEDDER.encode_code([text])) for id_, text in texts.items()])
        self.embedded |= set(texts.values())

    @rule(name=roots)
    def improve_graph(self, name: str) -> None:
        self.store.improve_graph(self.root_id(name), EMBEDDER.fingerprint, EMBEDDER.dim, threads=1)

    @rule(grace_days=st.sampled_from([0.0, 1.0]))
    def collect(self, grace_days: float) -> None:
        # While no root was ever embedded, the model itself is out of use.
        unused = all(not row.fingerprint for row in self.store.roots())
        self.store.gc(grace_days)
        if grace_days == 0.0:
            used = {function.text for name in ROOTS for function in self.functions(name)}
            self.embedded = set() if unused else self.embedded & used

    @rule(name=roots)
    def forget(self, name: str) -> None:
        self.store.forget(str(self.folder / name))
        self.files[name] = {}

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store(self.folder / "home")

    @precondition(lambda self: any(self.files.values()))
    @rule()
    def check_health(self) -> None:
        assert check(self.folder / "home") == []

    @invariant()
    def functions_are_those_written(self) -> None:
        for name in ROOTS:
            root_id = self.root_id(name)
            assert set(self.store.files(root_id)) == set(self.files[name])
            for path, functions in self.files[name].items():
                assert [stored.function for stored in self.store.functions_in(root_id, path)] == functions

    @invariant()
    def words_find_exactly_the_functions_that_hold_them(self) -> None:
        for name in ROOTS:
            root_id = self.root_id(name)
            for word in ("gamma", "alpha"):
                hits = self.store.lexical(root_id, word, (1, 1, 1, 1), 100)
                found = [stored.function for stored in self.store.functions(hit.id for hit in hits).values()]
                wanted = [function for function in self.functions(name) if word in _words(function)]
                assert sorted(map(_place, found)) == sorted(map(_place, wanted))
                assert self.store.lexical_statistics(root_id, [word]).df[word] == len(wanted)

    @invariant()
    def vectors_find_every_embedded_function_in_the_right_order(self) -> None:
        for name in ROOTS:
            root_id = self.root_id(name)
            hits = self.store.dense(root_id, EMBEDDER.fingerprint, QUERY, 100)
            functions = self.store.functions(hit.id for hit in hits)
            wanted = [function for function in self.functions(name) if function.text in self.embedded]
            assert sorted(_place(functions[hit.id].function) for hit in hits) == sorted(map(_place, wanted))
            scores = [EMBEDDER.encode_code([functions[hit.id].function.text])[0] @ QUERY for hit in hits]
            assert np.allclose([hit.score for hit in hits], scores, atol=2e-3)
            assert self.store.coverage(root_id, EMBEDDER.fingerprint) == (
                len(wanted),
                len(self.functions(name)),
            )


def _words(function: Function) -> list[str]:
    return tokenize(" ".join((function.symbol, function.path, function.doc, function.body)))


def _place(function: Function) -> tuple[str, int]:
    return function.path, function.start_byte


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
