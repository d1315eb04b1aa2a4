"""The retrieval sets as tasks of mteb, so that its runner and any model it knows measure the same thing as ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datasets import Dataset  # type: ignore[import-untyped]
from mteb import evaluate, get_model
from mteb.abstasks import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.models.abs_encoder import AbsEncoder
from mteb.models.model_meta import ModelMeta
from mteb.types import PromptType
from sentence_transformers import SentenceTransformer

from indexer.embedding import load_embedder
from indexer.evaluation.datasets import RetrievalSet
from indexer.evaluation.run import means

if TYPE_CHECKING:
    from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
    from mteb.models import MTEBModels

    from indexer.embedding.embedder import DecoderEmbedder
    from indexer.types import Vectors

_SPLIT = "test"


class _Task(AbsTaskRetrieval):
    """One retrieval set, which is at hand and not fetched."""

    given: RetrievalSet

    def load_data(self, num_proc: int | None = None, **kwargs: object) -> None:
        """Lay the set out as mteb has it: ids, texts, and which answer which."""
        given = self.given
        queries = [{"id": f"q{number}", "text": text} for number, text in enumerate(given.queries)]
        corpus = [{"id": f"c{number}", "title": "", "text": text} for number, text in enumerate(given.codes)]
        relevant = {f"q{n}": {f"c{place}": 1 for place in places} for n, places in enumerate(given.relevant)}
        split: RetrievalSplitData = {
            "queries": Dataset.from_list(queries),
            "corpus": Dataset.from_list(corpus),
            "relevant_docs": relevant,
            "top_ranked": None,
        }
        self.dataset = {"default": {_SPLIT: split}}
        self.data_loaded = True


def as_task(given: RetrievalSet) -> AbsTaskRetrieval:
    """A retrieval set as a task of mteb, by the main score that its group is reported with."""
    metadata = TaskMetadata(
        name="Codewhere" + re.sub(r"\W+", "", f"{given.group.title()}{given.name.title()}"),
        description=f"{given.group}: {given.name}",
        dataset={"path": "local", "revision": "local"},
        type="Retrieval",
        eval_splits=[_SPLIT],
        eval_langs=["eng-Latn"],
        main_score="ndcg_at_10",
    )
    made: AbsTaskRetrieval = type(metadata.name, (_Task,), {"metadata": metadata, "given": given})()
    return made


class Encoder(AbsEncoder):
    """A model that `load_embedder` knows, as mteb wants models."""

    def __init__(self, name: str, revision: str | None = None, *, device: str | None = None) -> None:
        self.model = load_embedder(name, device=device)
        self.mteb_model_meta = ModelMeta.create_empty({"name": f"codewhere/{self.model.name}"})

    def encode(
        self,
        inputs: Iterable[Mapping[str, Any]],
        *,
        prompt_type: PromptType | None = None,
        **kwargs: object,
    ) -> Vectors:
        """Vectors float32 [n, dim]: documents of a retrieval task are read as code, everything else as a query."""
        texts = [text for batch in inputs for text in batch["text"]]
        model: DecoderEmbedder = self.model
        return model.encode_code(texts) if prompt_type == PromptType.document else model.encode_queries(texts)


def find_model(name: str, device: str | None) -> MTEBModels | SentenceTransformer:
    """Any other model: by the name that mteb knows it by, else one for sentence-transformers by folder or hub id."""
    try:
        return get_model(name, device=device)
    except (KeyError, ValueError):
        return SentenceTransformer(name, device=device)


def evaluate_with_mteb(
    model: MTEBModels | SentenceTransformer, sets: Sequence[RetrievalSet]
) -> dict[str, Any]:
    """As `indexer.evaluation.run.evaluate`, by mteb's runner."""
    tasks = [as_task(given) for given in sets]
    by_name = {task.metadata.name: given for task, given in zip(tasks, sets, strict=True)}
    found = evaluate(model, tasks, cache=None, show_progress_bar=False)
    rows = {}
    for result in found.task_results:
        given, scores = by_name[result.task_name], result.scores[_SPLIT][0]
        rows[f"{given.group}/{given.name}"] = {
            "group": given.group,
            "mrr": round(float(scores["mrr_at_1000"]), 4),
            "ndcg@10": round(float(scores["ndcg_at_10"]), 4),
        }
    return {"name": f"{found.model_name} by mteb", "groups": means(rows), "sets": rows}
