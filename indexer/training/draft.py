"""Teaches a draft encoder (`indexer.embedding.draft`) the vectors of a model.

``python -m indexer.training.draft MODEL --pairs PAIRS.jsonl... --folders FOLDER... --work WORK`` writes
``draft.safetensors`` into WORK. The network is drawn towards the model's vectors of functions, and each function,
among those of its batch, towards the model's vector of the question it answers. Half an hour on two cores, most of
it for the vectors that are learnt.
"""

from __future__ import annotations

import argparse
import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from indexer.embedding import load_embedder
from indexer.embedding.draft import MATRICES
from indexer.embedding.loading import find
from indexer.embedding.spec import DRAFT_FILE, SCALE
from indexer.embedding.weights import quantise, read_weights
from indexer.errors import UserError
from indexer.evaluation.metrics import mean_reciprocal_rank, ranks_of_relevant
from indexer.training.draft_texts import Learnt, examples, learn

log = logging.getLogger(__name__)

WIDTH, HIDDEN, PLACES, TOKENS = 384, 1280, 2, 254
"""Of a token vector, of the hidden layer; ways to weigh places; tokens that are read of a text."""
EPOCHS, BATCH, RATE, WARM_UP = 12, 256, 1e-3, 100
TOKEN_SIZE = 0.1
"""Standard deviation of the numbers of token vectors."""
PREFIX, PREFIX_WEIGHT = 256, 0.3
"""The first dimensions count by themselves too, since vectors may be cut."""
DROPOUT = 0.1
TEMPERATURE, QUESTIONS_WEIGHT = 0.05, 0.1
LEFT_ASIDE = 0.05
NEAREST = 50

Rows = Sequence[Sequence[int]]


class DraftNetwork(nn.Module):
    """The network while it learns; `tensors` are what `DraftEncoder` reads."""

    def __init__(self, tokens: Tensor, dim: int) -> None:
        """Untaught, over token vectors, float32 [n, width], which stay as they are."""
        super().__init__()
        self._tokens = tokens
        width = PLACES * tokens.shape[1]
        self.token = nn.Parameter(torch.zeros(len(tokens)))
        self.place = nn.Parameter(torch.zeros(PLACES, TOKENS))
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, HIDDEN), nn.Linear(HIDDEN, dim)
        self.direct = nn.Linear(width, dim, bias=False)

    def forward(self, rows: Rows) -> Tensor:
        """Drafts [n, dim] of rows of token ids, L2-normalised."""
        ids = torch.cat([torch.as_tensor(row) for row in rows])
        counts = torch.tensor([len(row) for row in rows])
        of = torch.repeat_interleave(torch.arange(len(rows)), counts)
        places = torch.cat([torch.arange(count) for count in counts.tolist()])
        tokens = self._tokens[ids]
        means = []
        for place in self.place:
            each = torch.exp(self.token[ids] + place[places])
            share = each / torch.zeros(len(rows)).index_add(0, of, each)[of]
            means.append(torch.zeros(len(rows), tokens.shape[1]).index_add(0, of, tokens * share[:, None]))
        hidden = F.dropout(self.norm(torch.cat(means, dim=1)), DROPOUT, self.training)
        inner = F.gelu(self.up(hidden), approximate="tanh")
        return F.normalize(self.direct(hidden) + self.down(inner), dim=-1)

    def tensors(self, axes: Axes, trust: float) -> dict[str, Tensor]:
        """The weights as they are stored: matrices as int8 with a scale for each row, all else as float16."""
        stored = {"directions": axes.directions.T, "centre": axes.centre, "trust": torch.tensor([trust])}
        stored |= self.state_dict()
        tensors: dict[str, Tensor] = {}
        for name, value in stored.items():
            if name in MATRICES:
                tensors[name], tensors[name + SCALE] = quantise(value.contiguous())
            else:
                tensors[name] = value.half().contiguous()
        return tensors


class Axes(NamedTuple):
    """Where the vectors of tokens are laid out anew, by their principal components."""

    directions: Tensor
    """float32 [hidden, width]"""
    centre: Tensor
    """float32 [width], taken off after that."""

    @classmethod
    def of(cls, table: Tensor) -> Axes:
        """Of a token embedding, float32 [n, hidden]."""
        centred = table - table.mean(0)
        _, _, directions = torch.pca_lowrank(centred, q=min(WIDTH, *table.shape), center=False, niter=4)
        directions = directions / (centred @ directions).std() * TOKEN_SIZE
        return cls(directions, table.mean(0) @ directions)

    def __call__(self, table: Tensor) -> Tensor:
        """The token vectors, float32 [n, width]."""
        return table @ self.directions - self.centre


def fit(network: DraftNetwork, rows: Rows, learnt: Learnt, seed: int) -> None:
    """Tune all weights; the rate rises over the first steps and falls by a cosine to nothing."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
    vectors, queries = torch.from_numpy(learnt.vectors), torch.from_numpy(learnt.queries)
    draw = torch.Generator().manual_seed(seed)
    size = min(BATCH, len(rows))
    total = EPOCHS * (len(rows) // size)
    for step, batch in enumerate(_batches(len(rows), size, draw)):
        share = min(1.0, step / WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / total))
        for group in optimiser.param_groups:
            group["lr"] = RATE * share
        drafts = network([rows[at] for at in batch])
        loss = _distance(drafts, vectors[batch])
        asked = [(place, learnt.query_of[at]) for place, at in enumerate(batch) if learnt.query_of[at] >= 0]
        if asked:
            answers, numbers = (torch.tensor(column) for column in zip(*asked, strict=True))
            loss = loss + QUESTIONS_WEIGHT * F.cross_entropy(
                queries[numbers] @ drafts.T / TEMPERATURE, answers
            )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if step % 100 == 0:
            log.info("step %d of %d: loss %.3f", step, total, loss.item())


def _batches(n: int, size: int, draw: torch.Generator) -> Iterator[list[int]]:
    for _ in range(EPOCHS):
        order = torch.randperm(n, generator=draw).tolist()
        yield from (order[start : start + size] for start in range(0, n - size + 1, size))


def _distance(drafts: Tensor, vectors: Tensor) -> Tensor:
    whole = 1 - (drafts * vectors).sum(1).mean()
    cut = F.normalize(drafts[:, :PREFIX], dim=-1), F.normalize(vectors[:, :PREFIX], dim=-1)
    return whole + PREFIX_WEIGHT * (1 - (cut[0] * cut[1]).sum(1).mean())


def trust(queries: Tensor, drafts: Tensor, vectors: Tensor) -> float:
    """What the cosine of a query and a draft is to be multiplied by to be, as a rule, that with the vector.

    By least squares over the nearest drafts of each query: what is near by a guess is likely to be less near in truth.
    """
    guessed, rows = (queries @ drafts.T).topk(min(NEAREST, len(drafts)))
    true = (queries @ vectors.T).gather(1, rows)
    return float((guessed * true).sum() / guessed.square().sum())


def teach(folder: Path, learnt: Learnt, seed: int = 0) -> dict[str, Tensor]:
    """The weights of a draft encoder for the model in a folder, as `DraftEncoder` reads them."""
    torch.manual_seed(seed)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    encodings = tokenizer.encode_batch_fast(learnt.texts, add_special_tokens=False)
    rows = [encoding.ids[:TOKENS] or [0] for encoding in encodings]
    aside = int(LEFT_ASIDE * len(rows))
    if not any(number >= 0 for number in learnt.query_of[:aside]):
        raise UserError(
            f"{len(rows):,} functions are too few to learn from. Name more files of `codewhere mine`."
        )
    taught = Learnt(learnt.texts[aside:], learnt.vectors[aside:], learnt.queries, learnt.query_of[aside:])
    table = read_weights(folder, torch.float32)["embed_tokens.weight"]
    axes = Axes.of(table)
    network = DraftNetwork(axes(table), learnt.vectors.shape[1])
    fit(network, rows[aside:], taught, seed)
    network.eval()
    with torch.inference_mode():
        drafts, vectors = network(rows[:aside]), torch.from_numpy(learnt.vectors[:aside])
        asked = [at for at in range(aside) if learnt.query_of[at] >= 0]
        queries = torch.from_numpy(learnt.queries[[learnt.query_of[at] for at in asked]])
        for name, found in (("vectors", vectors), ("drafts", drafts)):
            ranks = ranks_of_relevant((queries @ found.T).numpy(), [(at,) for at in asked])
            log.info("%s: MRR %.3f among %d left aside", name, mean_reciprocal_rank(ranks), aside)
        trusted = trust(queries, drafts, vectors)
        log.info("cosine of both %.3f, trust %.3f", (drafts * vectors).sum(1).mean(), trusted)
    return network.tensors(axes, trusted)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--pairs", nargs="+", type=Path, required=True)
    parser.add_argument("--folders", nargs="*", type=Path, default=[])
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    found = examples(given.pairs, given.folders, seed=0)
    learnt = learn(load_embedder(given.model), found, given.work, seed=0)
    save_file(teach(find(given.model), learnt), given.work / DRAFT_FILE)


if __name__ == "__main__":
    main()
