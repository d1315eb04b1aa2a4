"""A model of ours as a sentence-transformers folder, which gives the same vectors without codewhere."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from torch import Tensor

from indexer.embedding.adapter import Adapts, model_tokenizer, model_weights
from indexer.embedding.decoder import DecoderConfig
from indexer.embedding.loading import backbone_of, find
from indexer.embedding.spec import ModelSpec
from indexer.errors import UserError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Module
    from sentence_transformers.sentence_transformer.modules import Transformer
    from transformers import PreTrainedModel

_CARD = """---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
license: {licence}
tags: [sentence-transformers, feature-extraction, code]
---

# {title}

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("FOLDER")
queries = model.encode_query(["where do we retry an upload?"])
codes = model.encode_document(["def upload(path): ..."])
scores = model.similarity(queries, codes)
```

Written by `codewhere models export`.

{about}
"""


def export(name: str, target: Path) -> None:
    """Write the model `name` (shipped, or a folder) into `target`; `UserError` says what is in the way.

    Queries go through `encode_query`, code through `encode_document`: each has its own tokens around the text.
    The vectors are those of `load_embedder` in float32, to 1e-4.
    """
    source = find(name)
    spec = ModelSpec.read(source)
    if spec.backend != "decoder":
        raise UserError(f"the model {spec.name!r} is a model of transformers already; use its own folder")
    if target.exists() and any(target.iterdir() if target.is_dir() else [target]):
        raise UserError(f"{target} is not empty; name a new folder")
    spec.verify(source)
    _sentence_transformer(spec, source).save(str(target), create_model_card=False)
    (target / "README.md").write_text(_card(spec, source), encoding="utf-8")


def _card(spec: ModelSpec, source: Path) -> str:
    """How to use the folder, and what the model's own card says of it."""
    own = source / "MODEL_CARD.md"
    about = own.read_text(encoding="utf-8") if own.exists() else f"# {spec.name}\n\n{spec.training}\n"
    # Its links lead to files that are not beside it here.
    about = re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", about)
    return _CARD.format(licence=spec.licence.lower(), title=spec.name, about=about.partition("\n")[2].strip())


def _sentence_transformer(spec: ModelSpec, source: Path) -> SentenceTransformer:
    try:
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Router
    except ImportError as error:
        raise UserError("this needs sentence-transformers: pip install 'codewhere[evaluate]'") from error
    adapts = Adapts.of(spec, backbone_of(spec)) if spec.adapter else None
    state = model_weights(spec, source, adapts, torch.float32)
    tokenizer = model_tokenizer(source, adapts)
    head = state.pop("head.weight")
    with tempfile.TemporaryDirectory() as folder:
        backbone = _backbone(spec, state)
        query: Module = _transformer(backbone, spec, tokenizer, spec.query_markers, Path(folder) / "query")
        code: Module = _transformer(backbone, spec, tokenizer, spec.code_markers, Path(folder) / "code")
    modules = [
        Router.for_query_document([query], [code]),
        Pooling(head.shape[1], pooling_mode="lasttoken"),
        Dense(head.shape[1], head.shape[0], bias=False, activation_function=None, init_weight=head),
        Normalize(),
    ]
    prompts = {"query": spec.query_prompt, "document": spec.code_prompt}
    return SentenceTransformer(modules=modules, prompts=prompts, device="cpu")


def _backbone(spec: ModelSpec, state: dict[str, Tensor]) -> PreTrainedModel:
    """The decoder as transformers knows it: Qwen2 where attention has biases, else Llama."""
    from transformers import LlamaConfig, LlamaModel, Qwen2Config, Qwen2Model

    values = DecoderConfig.from_dict(spec.config).to_dict()
    biased = values.pop("attention_bias")
    del values["output_dim"]
    rope = {"rope_type": "default", "rope_theta": values.pop("rope_theta")}
    values |= {"rope_parameters": rope, "max_position_embeddings": spec.max_tokens}
    values["vocab_size"] = len(state["embed_tokens.weight"])
    model = Qwen2Model(Qwen2Config(**values)) if biased else LlamaModel(LlamaConfig(**values))
    model.load_state_dict(state)
    return model


def _transformer(
    backbone: PreTrainedModel, spec: ModelSpec, tokenizer: Tokenizer, markers: tuple[str, str], folder: Path
) -> Transformer:
    """The backbone with a tokenizer that puts the markers around a text."""
    from sentence_transformers.sentence_transformer.modules import Transformer
    from transformers import PreTrainedTokenizerFast

    before, after = markers
    around = {marker: tokenizer.token_to_id(marker) for marker in markers if marker}
    tokenizer.post_processor = TemplateProcessing(
        single=" ".join(part for part in (before, "$A", after) if part), special_tokens=list(around.items())
    )
    padding = after or tokenizer.id_to_token(0)
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, pad_token=padding, padding_side="right", model_max_length=spec.max_tokens
    )
    backbone.save_pretrained(folder)
    fast.save_pretrained(folder)
    module: Transformer = Transformer(str(folder), max_seq_length=spec.max_tokens)
    return module
