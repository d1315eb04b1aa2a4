"""Tiny models made on the spot, a Qwen2 backbone and a BLOOM of the udever family, and what they are trained with."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import BloomConfig, BloomModel, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

CORPUS = [
    "def retry_upload(path): return upload(path, attempts=3)",
    "where do we retry a failed upload?",
    "func OpenFile(name string) (*File, error) { return os.Open(name) }",
    "fn parse_header(bytes: &[u8]) -> Header { Header::from(bytes) }",
    "Wo wird die Datei geschlossen? 文件在哪里关闭？",
]
WORDS = "upload download parse render close open merge split sort hash retry cache".split()


def pair(number: int, language: str = "python") -> dict:
    """A pair of training, one for each number."""
    word, other = WORDS[number % 12], WORDS[number // 12 % 12]
    return {
        "query": f"{word} the {other} of number {number}",
        "code": f"def {word}_{other}_{number}(): return {other}({number})  # {language}",
        "language": language,
        "natural": "en",
        "repo": f"repo{number % 3}",
        "symbol": f"{word}_{other}",
        "doc_rest": "More is said here.",
    }


def make_tokenizer(*added: str) -> Tokenizer:
    """A byte-level BPE tokenizer trained on a few lines, with the added special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"], show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens(list(added))
    return tokenizer


def make_backbone(folder: Path, intermediate_size: int = 48, seed: int = 0) -> Qwen2ForCausalLM:
    """A random Qwen2 of three layers, saved as `save_pretrained` does."""
    torch.manual_seed(seed)
    tokenizer = make_tokenizer()
    config = Qwen2Config(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=intermediate_size,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=False,
        rope_theta=10_000.0,
    )
    model = Qwen2ForCausalLM(config).eval()
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return model


def make_udever(folder: Path) -> BloomModel:
    """A random BLOOM with the paper's four markers, in a folder named as the paper's models are."""
    torch.manual_seed(0)
    tokenizer = make_tokenizer("[BOQ]", "[EOQ]", "[BOD]", "[EOD]")
    config = BloomConfig(vocab_size=tokenizer.get_vocab_size(), hidden_size=32, n_layer=2, n_head=4)
    model = BloomModel(config).eval()
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<|endoftext|>").save_pretrained(folder)
    return model


def make_recipe(folder: Path, rows: list[dict[str, str]], tuning: str) -> Path:
    """A recipe of training in a folder, with its backbone and its pairs; `tuning` is what its last section holds."""
    make_backbone(folder / "backbone")
    pairs = folder / "pairs.jsonl"
    pairs.write_text("\n".join(map(json.dumps, rows)))
    recipe = folder / "recipe.toml"
    recipe.write_text(f"""
name = "tiny"
[backbone]
folder = "{folder / "backbone"}"
layers = 2
mlp_width = 24
vocabulary = 330
output_dim = 16
[[sources]]
file = "{pairs}"
kind = "pairs"
[tuning]
batch = 16
dims = [16, 8]
{tuning}
""")
    return recipe
