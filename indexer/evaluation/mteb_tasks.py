"""The evaluation sets as tasks of mteb, so that its runner and any model it knows measure the same thing as ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from datasets import Dataset, DatasetDict  # type: ignore[import-untyped]
from mteb import evaluate, get_model
from mteb.abstasks import AbsTask, AbsTaskClassification, AbsTaskRetrieval, AbsTaskSTS
from mteb.abstasks.task_metadata import TaskMetadata, TaskType
from mteb.models.abs_encoder import AbsEncoder
from mteb.models.model_meta import ModelMeta
from mteb.types import PromptType
from sentence_transformers import SentenceTransformer

from indexer.embedding import load_embedder
from indexer.evaluation.datasets import ClassificationSet, EvaluationSet, RetrievalSet, StsSet
from indexer.evaluation.run import means, row
from indexer.evaluation.sentences import EXPERIMENTS, SAMPLES_A_LABEL

if TYPE_CHECKING:
    from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
    from mteb.models import MTEBModels

    from indexer.embedding.embedder import DecoderEmbedder
    from indexer.types import Vectors

_SPLIT = "test"


class _Retrieval(AbsTaskRetrieval):
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


class _Sts(AbsTaskSTS):
    """One set of pairs, which is at hand and not fetched."""

    given: StsSet

    def load_data(self, num_proc: int | None = None, **kwargs: object) -> None:
        """Lay the pairs out as mteb has them."""
        given = self.given
        columns = {"sentence1": given.first, "sentence2": given.second, "score": given.scores}
        self.dataset = {"default": {_SPLIT: Dataset.from_dict(columns)}}
        self.data_loaded = True


class _Classification(AbsTaskClassification):
    """One set of sentences with labels, which is at hand and not fetched."""

    given: ClassificationSet
    samples_per_label = SAMPLES_A_LABEL
    n_experiments = EXPERIMENTS

    def load_data(self, num_proc: int | None = None, **kwargs: object) -> None:
        """Lay the sentences out as mteb has them."""
        given = self.given
        train = Dataset.from_dict({"text": given.train, "label": given.train_labels})
        test = Dataset.from_dict({"text": given.test, "label": given.test_labels})
        self.dataset = {"default": DatasetDict({"train": train, _SPLIT: test})}
        self.data_loaded = True


class _Kind(NamedTuple):
    """How sets of one class are measured by mteb."""

    task: type[AbsTask]
    known_as: TaskType
    scores: dict[str, str]
    """By our metric mteb's name of it, the main one first."""


_KINDS: dict[type[EvaluationSet], _Kind] = {
    RetrievalSet: _Kind(_Retrieval, "Retrieval", {"ndcg@10": "ndcg_at_10", "mrr": "mrr_at_1000"}),
    StsSet: _Kind(_Sts, "STS", {"spearman": "cosine_spearman"}),
    ClassificationSet: _Kind(_Classification, "Classification", {"accuracy": "accuracy"}),
}


def as_task(given: EvaluationSet) -> AbsTask:
    """An evaluation set as a task of mteb, by the main score that its group is reported with."""
    kind = _KINDS[type(given)]
    metadata = TaskMetadata(
        name="Codewhere" + re.sub(r"\W+", "", f"{given.group.title()}{given.name.title()}"),
        description=f"{given.group}: {given.name}",
        dataset={"path": "local", "revision": "local"},
        type=kind.known_as,
        eval_splits=[_SPLIT],
        eval_langs=["eng-Latn"],
        main_score=next(iter(kind.scores.values())),
    )
    made: AbsTask = type(metadata.name, (kind.task,), {"metadata": metadata, "given": given})()
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
    model: MTEBModels | SentenceTransformer, sets: Sequence[EvaluationSet]
) -> dict[str, Any]:
    """As `indexer.evaluation.run.evaluate`, by mteb's runner."""
    tasks = [as_task(given) for given in sets]
    by_name = {task.metadata.name: given for task, given in zip(tasks, sets, strict=True)}
    found = evaluate(model, tasks, cache=None, show_progress_bar=False)
    rows = {}
    for result in found.task_results:
        given, scores = by_name[result.task_name], result.scores[_SPLIT][0]
        ours = {metric: float(scores[name]) for metric, name in _KINDS[type(given)].scores.items()}
        rows[f"{given.group}/{given.name}"] = row(given, ours)
    return {"name": f"{found.model_name} by mteb", "groups": means(rows), "sets": rows}
