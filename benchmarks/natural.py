"""Published sets of natural language in the form that `codewhere evaluate` reads.

    python benchmarks/natural.py CLONES --out ../shared/bench/natural

CLONES holds clones of these repositories of GitHub, under their names there; those that are absent are left out:
PhilipMay/stsb-multi-mt, brmson/dataset-sts, PolyAI-LDN/task-specific-datasets, clinc/oos-eval, google-deepmind/xquad.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]
YEARS = range(2012, 2017)


def stsb(folder: Path) -> Iterator[tuple[str, Rows]]:
    """The test pairs of the STS benchmark, translated by machine into ten languages."""
    for path in sorted(folder.glob("data/stsb-*-test.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            yield f"sts_{path.stem.split('-')[1]}_stsb", _pairs(csv.reader(file))


def semeval(folder: Path) -> Iterator[tuple[str, Rows]]:
    """All pairs of a year that were scored, as one set."""
    for year in YEARS:
        paths = sorted((folder / f"data/sts/semeval-sts/{year}").glob("*.test.tsv"))
        lines = [line for path in paths for line in path.read_text("utf-8").splitlines()]
        scored = [line.split("\t") for line in lines if not line.startswith("\t")]
        if scored:
            yield f"sts_en_semeval-{year}", _pairs((first, second, score) for score, first, second in scored)


def _pairs(found: Any) -> Rows:
    return [{"first": first, "second": second, "score": float(score)} for first, second, score in found]


def banking(folder: Path) -> Iterator[tuple[str, Rows]]:
    """What customers of a bank ask, by 77 intents."""
    rows = []
    for split in ("train", "test"):
        with (folder / f"banking_data/{split}.csv").open(encoding="utf-8", newline="") as file:
            rows += [
                {"split": split, "text": row["text"], "label": row["category"]}
                for row in csv.DictReader(file)
            ]
    yield "classification_en_banking77", rows


def clinc(folder: Path) -> Iterator[tuple[str, Rows]]:
    """What an assistant is asked, by 150 intents; those of none are left out."""
    found = json.loads((folder / "data/data_full.json").read_text("utf-8"))
    yield (
        "classification_en_clinc150",
        [
            {"split": split, "text": text, "label": label}
            for split in ("train", "test")
            for text, label in found[split]
        ],
    )


def xquad(folder: Path) -> Iterator[tuple[str, Rows]]:
    """Questions and the paragraphs that answer them, in one language and asked in English in the others."""
    paragraphs = {path.stem.split(".")[1]: _paragraphs(path) for path in sorted(folder.glob("xquad.*.json"))}
    for language, rows in paragraphs.items():
        yield f"retrieval_{language}_xquad", rows
        if language != "en":
            asked = zip(rows, paragraphs["en"], strict=True)
            crossed = [{"text": row["text"], "queries": english["queries"]} for row, english in asked]
            yield f"retrieval_en-{language}_xquad", crossed


def _paragraphs(path: Path) -> Rows:
    return [
        {"text": paragraph["context"], "queries": [asked["question"] for asked in paragraph["qas"]]}
        for article in json.loads(path.read_text("utf-8"))["data"]
        for paragraph in article["paragraphs"]
    ]


SOURCES = {
    "stsb-multi-mt": stsb,
    "dataset-sts": semeval,
    "task-specific-datasets": banking,
    "oos-eval": clinc,
    "xquad": xquad,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clones", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, read in SOURCES.items():
        for task, rows in read(options.clones / name) if (options.clones / name).is_dir() else ():
            lines = [json.dumps(row) for row in rows]
            (options.out / f"{task}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
            print(f"{task}: {len(rows):,}")


if __name__ == "__main__":
    main()
