"""Query vectors by NumPy: equal to those of PyTorch, and no PyTorch until code is embedded."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from indexer.embedding.decoder import Decoder, DecoderConfig
from indexer.embedding.embedder import DecoderEmbedder
from indexer.embedding.loading import load
from indexer.embedding.quick import QuickEmbedder, quick_embedder
from indexer.embedding.spec import SPEC_FILE, ModelSpec
from indexer.embedding.weights import write_weights
from indexer.errors import UserError

QUERIES = [
    "where is the retry delay computed",
    "x",
    "",
    "a\udcffb \x1b[31m",
    "retry " * 100,
    "日本語で検索する",
]


def make_model(folder, *, bias=True, heads=4, kv_heads=2, dims=(16, 8), markers=("[Q]", "[/Q]")):
    """A decoder of random weights with a tokenizer that knows single bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    torch.manual_seed(0)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    vocabulary = {token: number for number, token in enumerate(sorted(alphabet))}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([marker for marker in ("[Q]", "[/Q]", "[C]", "[/C]")])
    config = DecoderConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        head_dim=8,
        rms_norm_eps=1e-6,
        rope_theta=10_000.0,
        attention_bias=bias,
        output_dim=dims[0],
    )
    folder.mkdir(parents=True)
    model = Decoder(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    write_weights(model.state_dict(), folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    spec = ModelSpec(
        "tiny", "decoder", "none", markers, ("[C]", "[/C]"), max_tokens=48, dims=dims, config=config.to_dict()
    )
    spec.write(folder)
    return folder


@pytest.fixture
def folder(tmp_path):
    return make_model(tmp_path / "tiny")


def real(folder, dim=None) -> DecoderEmbedder:
    return load(str(folder), "cpu", "fp32", dim)


@pytest.mark.parametrize(
    "shape",
    [{}, {"bias": False}, {"heads": 4, "kv_heads": 4}, {"heads": 3, "kv_heads": 1}, {"markers": ("", "")}],
    ids=["grouped", "no bias", "one to one", "one for all", "no markers"],
)
@pytest.mark.parametrize("dim", [None, 8])
def test_queries_have_the_vectors_of_pytorch(tmp_path, shape, dim):
    folder = make_model(tmp_path / "model", **shape)
    quick = quick_embedder(str(folder), dim, lambda: pytest.fail("PyTorch was loaded"))
    expected = real(folder, dim)
    assert (quick.name, quick.dim, quick.fingerprint, quick.max_tokens) == (
        expected.name,
        expected.dim,
        expected.fingerprint,
        expected.max_tokens,
    )
    vectors = quick.encode_queries(QUERIES)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected.encode_queries(QUERIES), atol=1e-5)
    assert np.abs(vectors[0] - vectors[1]).max() > 0.01


def test_no_queries_give_no_vectors(folder):
    assert quick_embedder(str(folder), None, real).encode_queries([]).shape == (0, 16)


def test_code_and_many_queries_are_left_to_the_real_embedder(folder):
    quick = quick_embedder(str(folder), None, lambda: real(folder))
    assert (quick.device, quick.is_loaded) == ("cpu", False)
    code = ["def f(): pass", "int main() {}"]
    np.testing.assert_allclose(quick.encode_code(code), real(folder).encode_code(code), atol=1e-6)
    assert quick.is_loaded
    assert quick.split_windows(["x " * 200]) == real(folder).split_windows(["x " * 200])
    fresh = quick_embedder(str(folder), None, lambda: real(folder))
    fresh.encode_queries(["q"] * 100)
    assert fresh.is_loaded


def test_the_real_embedder_is_loaded_once_by_however_many_threads(folder):
    loaded = []

    def slow():
        time.sleep(0.2)
        loaded.append(real(folder))
        return loaded[-1]

    quick = quick_embedder(str(folder), None, slow)
    threads = [threading.Thread(target=quick.load_now) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 1
    assert quick.load_now() is loaded[0]


def test_the_model_of_the_index_is_chosen(tmp_path, monkeypatch):
    for name, dims in (("small", (16, 8)), ("other", (12,))):
        make_model(tmp_path / "models" / name, dims=dims)
    monkeypatch.setattr("indexer.embedding.SHIPPED", tmp_path / "models")
    monkeypatch.setattr("indexer.embedding.quick.SHIPPED", tmp_path / "models")
    known = ModelSpec.read(tmp_path / "models/other").fingerprint()
    assert quick_embedder("auto", None, real, known).dim == 12
    assert quick_embedder("small", None, real, known).dim == 16
    assert quick_embedder("auto", None, real).dim == quick_embedder("auto", None, real, "unknown").dim == 16
    assert quick_embedder("nothing", None, real) is None
    assert quick_embedder("small", 99, real) is None


def test_which_model_auto_means_is_left_to_pytorch_where_base_could_run(tmp_path, monkeypatch):
    for name in ("small", "base"):
        make_model(tmp_path / "models" / name)
    monkeypatch.setattr("indexer.embedding.SHIPPED", tmp_path / "models")
    monkeypatch.setattr("indexer.embedding.quick.SHIPPED", tmp_path / "models")
    monkeypatch.setenv("CODEWHERE_BACKBONE", str(tmp_path / "nowhere"))
    assert quick_embedder("auto", None, real) is not None
    # Whether there is a GPU for it, only PyTorch knows.
    monkeypatch.setenv("CODEWHERE_BACKBONE", str(tmp_path))
    assert quick_embedder("auto", None, real) is None


def test_a_model_of_another_kind_is_left_to_pytorch(folder):
    spec = ModelSpec.read(folder)
    foreign = ModelSpec(**{**spec.__dict__, "backend": "transformers"})
    foreign.write(folder)
    assert quick_embedder(str(folder), None, real) is None


@pytest.mark.parametrize("damage", ["change", "truncate", "remove", "spec"])
def test_a_damaged_model_is_an_error_that_says_what_to_do(folder, damage):
    weights = folder / "model-00001.safetensors"
    if damage == "change":
        weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    elif damage == "truncate":
        weights.write_bytes(weights.read_bytes()[:100])
    elif damage == "remove":
        weights.unlink()
    else:
        (folder / SPEC_FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=r"copy its folder here once more"):
        quick_embedder(str(folder), None, real).encode_queries(["x"])


def test_a_query_imports_no_pytorch(folder):
    code = (
        "import sys; from indexer.embedding.quick import quick_embedder;"
        f"print(quick_embedder({str(folder)!r}, None, None).encode_queries(['where']).shape,"
        "'torch' in sys.modules, 'transformers' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output == "(1, 16) False False\n"


def test_it_satisfies_the_protocol(folder):
    quick = quick_embedder(str(folder), None, real)
    assert isinstance(quick, QuickEmbedder)
    names = (
        "name",
        "fingerprint",
        "dim",
        "device",
        "max_tokens",
        "encode_queries",
        "encode_code",
        "split_windows",
    )
    assert [name for name in names if not hasattr(quick, name)] == []
