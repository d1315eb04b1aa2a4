"""What is cut from a backbone before training: tokens, rows and neurons."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer

from indexer.training.prune import read_backbone, with_vocabulary
from indexer.training.refit import prune_width
from indexer.training.vocabulary import MARKERS, count_tokens, cut_vocabulary
from tests import tiny


def test_a_cut_vocabulary_writes_every_text_and_keeps_the_frequent_tokens():
    full = tiny.make_tokenizer()
    counts = count_tokens(full.to_str(), ["retry upload"] * 50)
    text, old_ids = cut_vocabulary(full.to_str(), counts, 256 + 20 + len(MARKERS))
    small = Tokenizer.from_str(text)
    assert small.get_vocab_size() == len(old_ids) < full.get_vocab_size()
    for line in [*tiny.CORPUS, "ünïcödé 😀 \x00"]:
        assert small.decode(small.encode(line).ids) == line
    assert small.encode("retry upload").tokens == full.encode("retry upload").tokens
    for place, old in enumerate(old_ids[: -len(MARKERS)]):
        assert small.id_to_token(place) == full.id_to_token(old)
    assert [small.token_to_id(marker) for marker in MARKERS] == list(range(len(old_ids) - 4, len(old_ids)))


def _narrowed(tmp_path, width):
    tiny.make_backbone(tmp_path)
    model = read_backbone(tmp_path, layers=2, output_dim=8)
    for layer in model.blocks():
        layer.mlp.up_proj.weight.data[20:] = 0
    generator = torch.Generator().manual_seed(0)
    batches = [(torch.randint(1, 250, (240,), generator=generator), torch.full((20,), 12)) for _ in range(4)]
    small = prune_width(model, batches, width)
    with torch.no_grad():
        wanted, found = model(*batches[0]), small(*batches[0])
    return small, torch.nn.functional.cosine_similarity(wanted, found).mean().item()


def test_neurons_that_do_nothing_are_cut_without_loss(tmp_path):
    small, similarity = _narrowed(tmp_path, 20)
    assert small.config.intermediate_size == 20
    assert small.layers[0].mlp.up_proj.weight.abs().sum(1).min() > 0, "those that do something stay"
    assert similarity > 0.999


def test_what_is_left_is_refitted_to_what_the_whole_did(tmp_path, monkeypatch):
    similarity = _narrowed(tmp_path / "fitted", 10)[1]
    monkeypatch.setattr("indexer.training.refit._solve", lambda inputs, targets, weights: torch.zeros(10, 32))
    assert similarity > _narrowed(tmp_path / "dropped", 10)[1]


def test_a_smaller_vocabulary_keeps_the_rows_of_its_tokens(tmp_path):
    tiny.make_backbone(tmp_path)
    model = read_backbone(tmp_path, layers=1, output_dim=8)
    rows = model.embed_tokens.weight.detach().clone()
    small = with_vocabulary(model, [5, 3, 9])
    assert torch.equal(small.embed_tokens.weight, rows[[5, 3, 9]]) and small.config.vocab_size == 3
    assert small.embed_tokens.weight.requires_grad
