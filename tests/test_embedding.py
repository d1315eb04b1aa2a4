from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from indexer.config import DTYPES, Config
from indexer.embedding import SHIPPED, devices, load_configured, load_embedder
from indexer.embedding.decoder import Decoder
from indexer.embedding.embedder import DecoderEmbedder, batches_by_length
from indexer.embedding.spec import SPEC_FILE, ModelSpec, cure
from indexer.embedding.weights import quantise, read_weights, write_weights
from indexer.errors import UserError
from indexer.training.prune import read_backbone
from indexer.training.vocabulary import MARKERS
from tests import tiny

TEXTS = [*tiny.CORPUS, "x", "", "a much longer line of text than the others " * 6]

needs_int8 = pytest.mark.skipif(not devices._cpu_has_int8(), reason="this processor has no AVX2")


@pytest.fixture(scope="module")
def udever(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "udever-bloom-tiny"
    return folder, tiny.make_udever(folder)


def test_the_packed_decoder_computes_what_transformers_computes(backbone):
    folder, reference = backbone
    ours = read_backbone(folder, layers=3, output_dim=32)
    ours.head.weight.data = torch.eye(32)
    ours.norm.weight.data = reference.model.norm.weight.data
    rows = [[5, 9, 11], [7], [3, 1, 4, 1, 5, 9, 2, 6]]
    flat, lengths = (
        torch.tensor([number for row in rows for number in row]),
        torch.tensor([len(row) for row in rows]),
    )
    with torch.no_grad():
        found = ours(flat, lengths)
        for row, vector in zip(rows, found, strict=True):
            expected = reference.model(torch.tensor([row])).last_hidden_state[0, -1]
            torch.testing.assert_close(vector, expected, atol=1e-5, rtol=1e-5)


def test_the_attention_for_training_is_the_attention_for_inference(backbone):
    model = read_backbone(backbone[0], layers=3, output_dim=8)
    ids, lengths = torch.arange(1, 13), torch.tensor([5, 7])
    trained = model(ids, lengths)
    with torch.no_grad():
        torch.testing.assert_close(trained.detach(), model(ids, lengths), atol=1e-5, rtol=1e-5)


def _udever_by_hand(model, tokenizer, text, begin, end):
    ids = tokenizer.encode(text, add_special_tokens=False).ids[: 300 - 2]
    row = [tokenizer.token_to_id(begin), *ids, tokenizer.token_to_id(end)]
    with torch.no_grad():
        vector = model(torch.tensor([row])).last_hidden_state[0, -1]
    return (vector / vector.norm()).numpy()


@pytest.mark.parametrize(
    ("side", "begin", "end"), [("queries", "[BOQ]", "[EOQ]"), ("code", "[BOD]", "[EOD]")]
)
def test_udever_markers_pooling_and_padding_are_those_of_the_paper(udever, side, begin, end):
    folder, reference = udever
    embedder = load_embedder(str(folder), device="cpu", dtype="fp32")
    tokenizer = tiny.make_tokenizer("[BOQ]", "[EOQ]", "[BOD]", "[EOD]")
    long = "upload " * 400
    found = getattr(embedder, f"encode_{side}")([*TEXTS, long])
    for text, vector in zip([*TEXTS, long], found, strict=True):
        np.testing.assert_allclose(vector, _udever_by_hand(reference, tokenizer, text, begin, end), atol=1e-5)


@pytest.mark.parametrize("kind", ["model_folder", "udever"])
def test_a_vector_does_not_depend_on_its_batch(kind, request):
    value = request.getfixturevalue(kind)
    folder = value[0] if isinstance(value, tuple) else value
    embedder = load_embedder(str(folder), device="cpu", dtype="fp32")
    together = embedder.encode_code(TEXTS)
    alone = np.concatenate([embedder.encode_code([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    assert together.dtype == np.float32


def test_cut_vectors_are_the_first_dimensions_normalised(model_folder):
    full = load_embedder(str(model_folder), device="cpu", dtype="fp32").encode_queries(TEXTS)
    cut = load_embedder(str(model_folder), device="cpu", dtype="fp32", dim=8)
    expected = full[:, :8] / np.linalg.norm(full[:, :8], axis=1, keepdims=True)
    np.testing.assert_allclose(cut.encode_queries(TEXTS), expected, atol=1e-5)
    assert cut.fingerprint != load_embedder(str(model_folder), device="cpu").fingerprint
    with pytest.raises(UserError, match="1 to 16"):
        load_embedder(str(model_folder), dim=17)


def test_no_texts_give_no_vectors(model_folder):
    assert load_embedder(str(model_folder), device="cpu").encode_code([]).shape == (0, 16)


def test_windows_overlap_fit_and_cover_the_text(model_folder):
    embedder = load_embedder(str(model_folder), device="cpu")
    text = " ".join(f"word{number}" for number in range(300))
    short, windows = embedder.split_windows(["short", text])
    assert len(windows) > 3
    assert text.startswith(windows[0]) and text.endswith(windows[-1])
    for first, second in pairwise(windows):
        start = text.index(second)
        assert start < text.index(first) + len(first), "neighbours overlap"
    tokenizer = embedder._tokenizer
    assert all(len(tokenizer.encode(window).ids) <= 64 - 1 + 2 for window in windows)
    assert short == ["short"] and embedder.split_windows([]) == []
    odd = text.replace(" ", " \udc80")
    (broken,) = embedder.split_windows([odd])
    assert odd.startswith(broken[0]) and odd.endswith(broken[-1]) and "\udc80" in broken[0]


@pytest.mark.parametrize("numbers", ["7, ", "-0.25, ", "1e-05, ", "0xff, ", "_1, "])
def test_a_table_of_numbers_has_one_window_and_the_words_around_it(model_folder, numbers):
    embedder = load_embedder(str(model_folder), device="cpu")
    head, tail = "def primes(): return [", "] + list_of_more()"
    windows = embedder.split_windows([head + numbers * 400 + tail])[0]
    assert len(windows) == 2 and windows[0].startswith(head) and windows[1].endswith(tail)
    assert len(embedder.split_windows(["数据, " * 400])[0]) > 2


def test_a_window_is_read_whole(model_folder):
    embedder = load_embedder(str(model_folder), device="cpu", dtype="fp32")
    first = embedder.split_windows(["word " * 200])[0][0]
    longer = embedder.encode_code([first, first + " and more words that are cut off"])
    np.testing.assert_allclose(longer[0], longer[1], atol=1e-2)


def test_batches_hold_similar_lengths_within_the_budget():
    lengths = [3, 50, 7, 100, 7, 49]
    batches = list(batches_by_length(lengths, 100))
    assert sorted(place for batch in batches for place in batch) == list(range(6))
    assert all(sum(lengths[place] for place in batch) <= 100 or len(batch) == 1 for batch in batches)
    assert batches[0] == [3]


def test_out_of_memory_halves_the_batch_and_gives_the_same_vectors(model_folder):
    whole = load_embedder(str(model_folder), device="cpu", dtype="fp32")

    class Narrow:
        threads = 1

        def vectors(self, rows):
            if len(rows) > 2:
                raise torch.OutOfMemoryError("out of memory")
            return whole._backend.vectors(rows)

    narrow = DecoderEmbedder(whole.spec, whole._tokenizer, Narrow(), device="cpu")
    np.testing.assert_allclose(narrow.encode_code(TEXTS), whole.encode_code(TEXTS), atol=1e-5)
    assert narrow._budget < whole._budget


def test_a_missing_gpu_is_said_once_and_the_cpu_computes(model_folder, caplog, monkeypatch):

    devices._warn_once.cache_clear()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with caplog.at_level("WARNING"):
        embedders = [load_embedder(str(model_folder), device="cuda") for _ in range(2)]
    assert [embedder.device for embedder in embedders] == ["cpu", "cpu"]
    assert sum("computing on the CPU" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize(("option", "value"), [("device", "tpu"), ("dtype", "int3")])
def test_unknown_devices_and_types_are_refused(model_folder, option, value):
    with pytest.raises(UserError, match="unknown"):
        load_embedder(str(model_folder), **{option: value})


def _remove(path):
    path.unlink()


def _truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _tamper(path):
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("harm", [_remove, _truncate, _tamper])
@pytest.mark.parametrize("name", ["model-00001.safetensors", "tokenizer.json"])
def test_a_broken_model_file_is_named(model_folder, tmp_path, harm, name):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    harm(folder / name)
    with pytest.raises(UserError, match=name):
        load_embedder(str(folder), device="cpu")


@pytest.mark.parametrize(
    ("change", "message"),
    [({"format": 99}, "newer format"), ({"pool": "x"}, "cannot be read")],
)
def test_a_spec_of_another_time_is_refused(model_folder, tmp_path, change, message):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    values = json.loads((folder / SPEC_FILE).read_text())
    (folder / SPEC_FILE).write_text(json.dumps({**values, **change}))
    with pytest.raises(UserError, match=message):
        load_embedder(str(folder))


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(UserError, match="folder or a hub id"):
        load_embedder("no-such-model")


def test_int8_rows_are_near_the_weights_and_shards_stay_small(tmp_path, monkeypatch):
    monkeypatch.setattr("indexer.embedding.weights.SHARD_BYTES", 40_000)
    torch.manual_seed(0)
    state = {f"layer{n}.weight": torch.randn(64, 96) * (n + 1) for n in range(9)} | {"norm": torch.randn(64)}
    write_weights(state, tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    back = read_weights(tmp_path, torch.float32)
    assert set(back) == set(state)
    for name, value in state.items():
        assert (back[name] - value).abs().max() <= value.abs().max() / 127
    weight, scale = quantise(torch.zeros(2, 3))
    assert torch.isfinite(weight.float() * scale[:, None]).all()


def test_markers_are_tokens_of_their_own():
    tokenizer = tiny.make_tokenizer(*MARKERS)
    assert all(len(tokenizer.encode(marker).ids) == 1 for marker in MARKERS)


def test_fingerprint_follows_the_weights_not_the_scores(model_folder):
    spec = ModelSpec.read(model_folder)
    from dataclasses import replace

    assert replace(spec, scores={"x": 1.0}, training="y").fingerprint() == spec.fingerprint()
    assert replace(spec, files={"model": "0"}).fingerprint() != spec.fingerprint()


def test_fingerprint_follows_weights_that_lie_elsewhere(model_folder, tmp_path):
    spec = ModelSpec.read(model_folder)
    found = {spec.fingerprint()}
    for place in (0, 3_000_000, 6_000_000):
        weights = bytearray(6_000_001)
        weights[place] = 1
        (tmp_path / "model.safetensors").write_bytes(weights)
        found.add(spec.fingerprint(elsewhere=tmp_path))
    # The middle is not read, for the sake of backbones of gigabytes.
    assert len(found) == 4


def test_gradients_reach_every_layer(backbone):
    model: Decoder = read_backbone(backbone[0], layers=2, output_dim=8)
    model(torch.arange(1, 9), torch.tensor([3, 5])).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("dtype", ["fp32", pytest.param("int8", marks=needs_int8)])
def test_the_number_of_threads_is_that_of_the_settings(model_folder, tmp_path, dtype):
    before = torch.get_num_threads()
    settings = Config(home=tmp_path, model=str(model_folder), dtype=dtype)
    try:
        for threads in (3, None):  # None leaves it as it is
            embedder = load_configured(replace(settings, threads=threads))
            embedder.encode_code(TEXTS)
            embedder.encode_queries(TEXTS[:1])
            assert torch.get_num_threads() == embedder._backend.threads == 3
    finally:
        torch.set_num_threads(before)


def test_the_memory_of_a_gpu_is_bounded_by_the_settings(model_folder, monkeypatch, tmp_path):
    shares = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=8e9))
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", shares.append)
    for megabytes in (2_000, 99_000):
        load_configured(Config(home=tmp_path, model=str(model_folder), device="cpu", gpu_memory_mb=megabytes))
    assert shares == [0.25, 1.0]


def _backend_about_to_compile(model_folder, monkeypatch, compiled):
    backend = load_embedder(str(model_folder), device="cpu", dtype="fp32")._backend
    monkeypatch.setattr("indexer.embedding.embedder.compiled", compiled)
    # As on a GPU, after what is embedded before it pays.
    backend._left = 5
    return backend


def test_a_model_is_compiled_once_there_is_much_to_embed(model_folder, monkeypatch):
    asked = []

    def twin(model):
        asked.append(model)
        return lambda ids, lengths: torch.ones(len(lengths), 16)

    backend = _backend_about_to_compile(model_folder, monkeypatch, twin)
    backend.vectors([[1, 2, 3]])
    assert backend.compiling is None
    for _ in range(3):
        backend.vectors([[1, 2, 3]])
        backend.compiling.join()
    assert len(asked) == 1 and torch.equal(backend.vectors([[1]]), torch.ones(1, 16))


def test_a_model_that_cannot_be_compiled_computes_as_before(model_folder, monkeypatch, caplog):
    def broken(model):
        raise RuntimeError("no compiler")

    backend = _backend_about_to_compile(model_folder, monkeypatch, broken)
    before = backend.vectors([[1, 2, 3]])
    with caplog.at_level("INFO"):
        backend.vectors([[1, 2, 3]])
        backend.compiling.join()
    assert torch.equal(backend.vectors([[1, 2, 3]]), before) and "no compiler" in caplog.text


def test_a_twin_shares_its_weights_and_gives_the_same_vectors(model_folder, monkeypatch):
    from indexer.embedding import embedder

    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, **options: None)
    model = load_embedder(str(model_folder), device="cpu", dtype="fp32")._backend._model
    twin = embedder.compiled(model)
    ids, lengths = torch.tensor([1, 2, 3, 4]), torch.tensor([3, 1])
    assert torch.equal(twin(ids, lengths), model(ids, lengths))
    assert twin.head.weight.data_ptr() == model.head.weight.data_ptr()


def test_the_settings_know_every_number_type() -> None:
    assert set(DTYPES) == {"auto", *devices._TYPES}


def test_a_broken_model_is_installed_again_only_where_it_was_installed(tmp_path):
    assert cure(SHIPPED / "small") == "install codewhere again"
    assert "copy its folder" in cure(tmp_path / "small")
