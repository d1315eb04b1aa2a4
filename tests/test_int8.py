from __future__ import annotations

import numpy as np
import pytest
import torch

from indexer.embedding import devices, load_embedder
from indexer.embedding.int8 import Product, Rounded, _product_of_few
from indexer.errors import UserError
from tests.test_embedding import TEXTS, needs_int8


@pytest.fixture
def capabilities(monkeypatch):
    """Sets what the processor says it can do."""

    def say(**names: bool) -> None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: names)
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)

    return say


def test_rows_are_rounded_each_with_its_own_scale():
    x = torch.tensor([[0.5, -127.0, 126.4], [0.0, 0.0, 0.0], [1e-3, -2e-3, 0.0]])
    rounded = Rounded.of(x)
    assert rounded.values.dtype == torch.uint8
    assert rounded.values[0].tolist() == [129, 1, 254]
    back = rounded.scale * (rounded.values.float() - 128)
    assert bool(((back - x).abs() <= 0.5 * rounded.scale + 1e-9).all())


@needs_int8
@pytest.mark.parametrize("rows", [1, 12, 64, 65])
def test_few_rows_are_multiplied_as_many_are(monkeypatch, rows):
    # With VNNI the default engine lays weights out for oneDNN.
    monkeypatch.setattr(torch.backends.quantized, "engine", "fbgemm")
    matrix, x = torch.randn(96, 64), Rounded.of(torch.randn(rows, 64))
    products = []
    for vnni in (True, False):
        monkeypatch.setattr("indexer.embedding.int8.has_vnni", lambda vnni=vnni: vnni)
        products.append(Product({"map.weight": matrix}, ["map"]))
    assert products[0]._of_few is None
    assert products[1]._of_few is not None
    torch.testing.assert_close(products[0](x), products[1](x), rtol=1e-5, atol=1e-5)


def test_without_fbgemm_few_rows_are_multiplied_as_any(monkeypatch):
    def missing(*arguments: object) -> None:
        raise RuntimeError("not in this build")

    monkeypatch.setattr(torch, "_make_per_channel_quantized_tensor", missing)
    assert _product_of_few(torch.ones(2, 2, dtype=torch.int8), torch.ones(2)) is None


@needs_int8
def test_int8_vectors_are_those_of_float32_within_rounding(model_folder):
    exact = load_embedder(str(model_folder), device="cpu", dtype="fp32")
    rounded = load_embedder(str(model_folder), device="cpu", dtype="int8")
    assert rounded.fingerprint == exact.fingerprint
    for side in ("encode_code", "encode_queries"):
        cosines = (getattr(exact, side)(TEXTS) * getattr(rounded, side)(TEXTS)).sum(axis=1)
        assert cosines.min() > 0.99


@needs_int8
def test_the_shipped_model_loses_nothing_to_int8():
    exact, rounded = (load_embedder("small", device="cpu", dtype=dtype) for dtype in ("fp32", "int8"))
    texts = [text for text in TEXTS if text]
    expected = exact.encode_code(texts)
    loss = 1 - (expected * rounded.encode_code(texts)).sum(axis=1)
    assert loss.max() < 0.005
    # Not against bfloat16, whose own loss differs with the processor.
    assert loss.mean() < 0.001


@needs_int8
def test_an_int8_vector_does_not_depend_on_its_batch(model_folder):
    embedder = load_embedder(str(model_folder), device="cpu", dtype="int8")
    together = embedder.encode_code(TEXTS)
    alone = np.concatenate([embedder.encode_code([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=5e-3)


@needs_int8
def test_weights_that_are_no_int8_on_disk_are_rounded(model_folder):
    from indexer.embedding.decoder import DecoderConfig
    from indexer.embedding.int8 import Int8Decoder
    from indexer.embedding.spec import ModelSpec
    from indexer.embedding.weights import read_stored, read_weights

    config = DecoderConfig.from_dict(ModelSpec.read(model_folder).config)
    ids, lengths = torch.arange(1, 9), torch.tensor([3, 5])
    stored = Int8Decoder(read_stored(model_folder), config)(ids, lengths)
    plain = Int8Decoder(read_weights(model_folder, torch.float32), config)(ids, lengths)
    torch.testing.assert_close(stored, plain, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", ["avx2", "avx512_bf16"])
def test_int8_is_chosen_where_the_processor_multiplies_bytes(capabilities, name):
    capabilities(**{name: True, "avx2": True})
    assert devices.choose_dtype(None, "cpu", rounds=True) == torch.int8
    assert devices.choose_dtype("fp32", "cpu", rounds=True) == torch.float32
    half = torch.bfloat16 if name == "avx512_bf16" else torch.float32
    assert devices.choose_dtype(None, "cpu", rounds=False) == half


def test_without_avx2_it_is_bfloat16_or_float32(capabilities):
    capabilities(bf16=True)
    assert devices.choose_dtype(None, "cpu", rounds=True) == torch.bfloat16
    capabilities()
    assert devices.choose_dtype("auto", "cpu", rounds=True) == torch.float32
    with pytest.raises(UserError, match="AVX2"):
        devices.choose_dtype("int8", "cpu", rounds=True)


def test_int8_is_refused_for_models_of_others(capabilities):
    capabilities(avx2=True)
    with pytest.raises(UserError, match="the model small"):
        devices.choose_dtype("int8", "cpu", rounds=False)
