"""Write the tables of README.md and docs/ from the results beside this file, that of the languages from their registry.

python -m benchmarks.tables          rewrites what stands between the markers
python -m benchmarks.tables --check  exits 1 where a page is out of date
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from indexer.commands.bench import bench_rows
from indexer.evaluation.run import table
from indexer.languages.registry import LANGUAGES

HERE = Path(__file__).parent
RESULTS = HERE / "results"


def _read(name: str) -> dict[str, Any] | None:
    path = RESULTS / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def evaluate_table(name: str = "evaluate.json") -> str:
    """Embedders side by side, dense alone."""
    found = _read(name)
    return table(found["results"]) if found else "Not measured yet."


def repos_table() -> str:
    """NDCG@10 of whole-repository search, by what is switched on."""
    found = [_read(path.name) for path in sorted(RESULTS.glob("ranking-*.json"))]
    results = [result for result in found if result and "repositories" in result["settings"]["what"]]
    if not results:
        return "Not measured yet."
    columns = [way for way in max((list(result["ndcg@10"]) for result in results), key=len) if ":" not in way]
    lines = ["| NDCG@10 | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for result in results:
        cells = [result["ndcg@10"].get(column) for column in columns]
        shown = ["" if cell is None else f"{cell['all']:.3f}" for cell in cells]
        lines.append(f"| {result['settings']['what']} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def speed_table(name: str = "bench.json") -> str:
    """Functions a second and query latency, each beside other models in the same run."""
    found = _read(name)
    if not found:
        return "Not measured yet."
    lines = [
        "| on the same texts in the same run | functions/s | query p50, ms | query p99, ms |",
        "|---|---|---|---|",
    ]
    for row in found["beside"]:
        lines.append(
            f"| {row['name']} | {row['functions_a_second']:.1f} | {row['query_p50_ms']:.1f} |"
            f" {row['query_p99_ms']:.1f} |"
        )
    return "\n".join(lines)


def bench_table() -> str:
    """Every stage as `codewhere bench` shows it."""
    found = _read("bench.json")
    if not found:
        return "Not measured yet."
    rows = [f"| {name} | {value} |" for name, value in bench_rows(found)]
    return "\n".join(["| measured | value |", "|---|---|", *rows, "", speed_table()])


def number_types_table() -> str:
    """Functions a second by number type and tokens a pass, a table for each instruction set."""
    found = _read("number_types.json")
    return "\n\n".join(map(_number_types, found["runs"])) if found else "Not measured yet."


def _number_types(run: dict[str, Any]) -> str:
    sizes = sorted({row["tokens_a_pass"] for row in run["rows"]})
    lines = [
        f"| functions/s, {run['instructions']} | "
        + " | ".join(f"{size:,} tokens a pass" for size in sizes)
        + " | cosine with fp32 |",
        "|---" * (len(sizes) + 2) + "|",
    ]
    for name in dict.fromkeys(row["type"] for row in run["rows"]):
        rows = {row["tokens_a_pass"]: row for row in run["rows"] if row["type"] == name}
        rates = " | ".join(f"{rows[size]['functions_a_second']:.1f}" for size in sizes)
        lines.append(f"| {name} | {rates} | {rows[sizes[0]]['cosine_with_fp32']:.5f} |")
    about = (
        f"{run['functions']} functions of {run['tokens_a_function']:.0f} tokens, {run['threads']} threads,"
        f" {run['machine']}."
    )
    return "\n".join([*lines, "", about])


def gpu_table() -> str:
    """Functions and tokens a second on a GPU, by how the same vectors are computed."""
    found = _read("gpu.json")
    if not found:
        return "Not measured yet."
    lines = [
        "| model | computed with | functions/s | tokens/s | share of the measured peak |",
        "|---|---|---|---|---|",
    ]
    for model, result in found["models"].items():
        for way, row in result["ways"].items():
            lines.append(
                f"| {model} | {way} | {row['functions_a_second']:,.0f} | {row['tokens_a_second']:,.0f} |"
                f" {row['peak_share']:.0%} |"
            )
        for way, row in result.get("forward_alone", {"ways": {}})["ways"].items():
            lines.append(
                f"| {model}, forward pass alone | {way} | | {row['tokens_a_second']:,.0f} | {row['peak_share']:.0%} |"
            )
    types = ", ".join(dict.fromkeys(result["number_type"] for result in found["models"].values()))
    about = f"{found['device']}, PyTorch {found['torch']}, {types}."
    whole = [
        _end_to_end(model, result) for model, result in found["models"].items() if result.get("end_to_end")
    ]
    return "\n".join([*lines, "", about, *whole])


def _end_to_end(model: str, result: dict[str, Any]) -> str:
    took, rate = result["end_to_end"], {name: n / 1e12 for name, n in result["products"].items()}
    return (
        f"A folder of {took['windows']:,} windows with `{model}`: words in {took['words_seconds']:.2f} s, then vectors"
        f" in {took['vectors_seconds']:.2f} s, of which embedding alone takes {took['embedding_alone_seconds']:.2f} s;"
        f" a query in {result['query']['p50_ms']:.0f} ms (p50). Products in bfloat16 {rate['bf16']:.0f} TFLOP/s,"
        f" in fp8 with its rounding {rate['fp8, rounding included']:.0f}."
    )


def methods_table() -> str:
    """Ways of tuning, from one start over the same pairs."""
    found = _read("methods.json")
    if not found:
        return "Not measured yet."
    lines = ["| method | rate | loss | doc → function, MRR |", "|---|---|---|---|"]
    for row in found["rows"]:
        lines.append(
            f"| {row['method']} | {row['learning_rate']:g} | {row['mean_loss_of_the_last_ten']:.2f} |"
            f" {row['doc_to_function_mrr']:.3f} |"
        )
    return "\n".join(lines)


def scale_table() -> str:
    """Disk, memory and time by the size of a tree; the last column continues the lines."""
    found = _read("scale.json")
    if not found:
        return "Not measured yet."
    rows, million = found["rows"], found["million"]
    lines = [
        f"| {found['tree']} |"
        + "".join(f" {row['functions']:,} |" for row in rows)
        + " 1,000,000, continued |"
    ]
    lines.append("|---" * (len(rows) + 2) + "|")
    for name, label, scale, digits in _SCALE:
        cells = [_cell(_value(row, name), scale, digits) for row in rows]
        lines.append(f"| {label} | " + " | ".join([*cells, _cell(million.get(name), scale, digits)]) + " |")
    fewer = found["fewer_dimensions"]
    if fewer:
        here, full = (row["disk_bytes"] / row["functions"] for row in (fewer, rows[0]))
        lines += [
            "",
            f"With 256 dimensions instead of 384: {here:,.0f} bytes on disk a function instead of {full:,.0f},"
            f" {fewer['search_mb']:,} MB in memory instead of {rows[0]['search_mb']:,}"
            f" ({fewer['functions']:,} functions).",
        ]
    for name, what in (("index_mb", "An indexing process"), ("search_mb", "A searching process")):
        line = found["memory"][name]
        lines += [
            "",
            f"{what} takes about {line['fixed_mb']:,} MB + {line['bytes_per_function']:,} bytes × functions.",
        ]
    return "\n".join(lines)


_SCALE = (
    ("disk_bytes", "disk, MB", 1e6, 0),
    ("database_bytes", "of it the database, MB", 1e6, 0),
    ("graph_bytes", "of it the graph, MB", 1e6, 0),
    ("bytes", "disk, bytes a function", 1, 0),
    ("index_cpu_s", "indexing, s of CPU without the model", 1, 0),
    ("index_mb", "memory while indexing, MB", 1, 0),
    ("search_mb", "memory of a searching process, MB", 1, 0),
    ("cold_cpu_s", "first search of a new process, s of CPU", 1, 1),
    ("search_cpu_ms_p50", "search, ms of CPU, p50", 1, 1),
    ("search_cpu_ms_p99", "search, ms of CPU, p99", 1, 1),
    ("recall_at_10", "recall@10 of the graph against exact search", 1, 3),
)


def _value(row: dict[str, Any], name: str) -> float | None:
    if name == "bytes":
        return float(row["disk_bytes"] / row["functions"])
    if name.startswith("search_cpu_ms_"):
        return float(row["search_cpu_ms"][name[-3:]])
    value: float | None = row[name]
    return value


def _cell(value: float | None, scale: float, digits: int) -> str:
    return "" if value is None else f"{value / scale:,.{digits}f}"


def tombstones_table() -> str:
    """Recall and time of a graph by the share of it that is dead."""
    found = _read("tombstones.json")
    if not found:
        return "Not measured yet."
    lines = [
        f"| dead share of {found['vectors']:,} vectors | recall@10 | ms of CPU a query |",
        "|---|---|---|",
    ]
    for row in found["rows"]:
        lines.append(f"| {row['dead_share']:.0%} | {row['recall_at_10']:.3f} | {row['cpu_ms']:.1f} |")
    return "\n".join(lines)


def faults_table() -> str:
    """What was done to a store, how often, and what was wrong afterwards."""
    found, together = _read("faults.json"), _read("together.json")
    if not found or not together:
        return "Not measured yet."
    jobs = sorted({place.split(":")[0] for place in found["kills"]["at"]})
    lines = ["| fault | times | wrong afterwards |", "|---|---|---|"]
    rows = [
        (f"SIGKILL at a random moment of: {', '.join(jobs)}", found["kills"]["kills"], found["kills"]),
        (
            "a file of the store removed, cut, grown or filled with noise",
            found["damages"]["damages"],
            found["damages"],
        ),
        (f"full disk ({found['disks']['kind']})", found["disks"]["disks"], found["disks"]),
        ("permissions taken away", found["permissions"]["cases"], found["permissions"]),
        ("updates while the clock jumps, mostly backwards", found["clocks"]["updates"], found["clocks"]),
    ]
    lines += [f"| {what} | {count:,} | {len(result['problems'])} |" for what, count, result in rows]
    n_edits, n_seconds = together["counts"]["edits"], together["seconds"]
    seconds = f"{n_seconds:.0f} s of command line, watcher, two servers, gc and {n_edits:,} random edits"
    lines.append(f"| {seconds} | 1 | {len(together['problems'])} |")
    fuzz = _read("fuzz.json")
    if fuzz:
        died = f"{len(fuzz['grammar_died'])} of them cost a worker; such a file is found by its text"
        what = f"damaged sources of {len(fuzz['languages'])} languages ({died})"
        lines.append(f"| {what} | {fuzz['inputs']:,} | {len(fuzz['failures'])} |")
    return "\n".join(lines)


def live_table() -> str:
    """How a watched folder keeps up."""
    found = _read("live.json")
    if not found:
        return "Not measured yet."
    edits, tree, rebase = found["edits"], found["second_work_tree"]["second"], found["rebase"]
    moves = "; ".join(f"{name}: {count:,}" for name, count in found["moves"]["embedded"].items())
    rows = [
        (
            f"one function edited, model {edits['model']} on the CPU",
            f"found by its vector after {edits['found_ms']['p50']} ms (p50), {edits['found_ms']['p95']} ms (p95);"
            f" {edits['cpu_ms']['p95']} ms of CPU (p95)",
        ),
        (f"texts embedded, {found['moves']['functions']:,} functions", moves),
        (
            f"second work tree, {tree['functions']:,} functions",
            f"{tree['seconds']} s ({tree['cpu_s']} s of CPU), {tree['embedded']} embedded",
        ),
        (
            f"{rebase['files']:,} files changed at once",
            f"all searchable after {rebase['all_searchable_s']} s; queries meanwhile"
            f" {rebase['query_ms']['p50']} ms (p50),"
            f" {rebase['query_ms']['p95']} ms (p95), {rebase['query_ms']['max']} ms at most",
        ),
    ]
    lines = [
        "| what happens | what was measured |",
        "|---|---|",
        *(f"| {what} | {result} |" for what, result in rows),
    ]
    return "\n".join([*lines, "", f"Measured on {found['machine']}."])


_PLACES = {"first result right": "first", "among three": "first three"}


def partial_table() -> str:
    """How good answers are while a folder is being embedded."""
    found = _read("partial.json")
    if not found:
        return "Not measured yet."
    ways = {
        "words and those vectors": "in order",
        "drafts too": "drafts",
        "a second later": "drafts, asked first",
    }
    lines = [
        "| functions with a vector | "
        + " | ".join(f"{what}: {way}" for what in _PLACES for way in ways)
        + " |",
        "|---" * (1 + len(_PLACES) * len(ways)) + "|",
    ]
    for share, figures in found["results"].items():
        cells = [figures[way][name] for name in _PLACES.values() for way in ways.values()]
        lines.append(f"| {float(share):.0%} | " + " | ".join(f"{value:.0%}" for value in cells) + " |")
    return "\n".join(lines)


def languages_table() -> str:
    """Languages by the names that search has, with their files and what else `lang:` takes."""
    lines = ["| language | files | other names |", "|---|---|---|"]
    for name in dict.fromkeys(row.alias or row.name for row in LANGUAGES.values()):
        rows = [row for row in LANGUAGES.values() if name in (row.name, row.alias)]
        files = [file for row in rows for file in (*row.extensions, *row.filenames)]
        called = dict.fromkeys(other for row in rows for other in (*row.nicknames, *row.interpreters))
        others = [other for other in called if other not in LANGUAGES and f".{other}" not in files]
        lines.append(f"| `{name}` | {_codes(files)} | {_codes(others)} |")
    return "\n".join(lines)


def _codes(texts: list[str]) -> str:
    return " ".join(f"`{text}`" for text in texts)


PAGES = {
    "docs/index.md": {
        "faults": faults_table,
        "live": live_table,
        "partial": partial_table,
        "scale": scale_table,
        "tombstones": tombstones_table,
    },
    "docs/languages.md": {"languages": languages_table},
    "README.md": {"table": lambda: "\n\n".join((repos_table(), evaluate_table(), speed_table()))},
    "docs/performance.md": {
        "bench": bench_table,
        "avx2": lambda: speed_table("bench-avx2.json"),
        "gpu": gpu_table,
        "number types": number_types_table,
    },
    "docs/embedder.md": {
        "evaluate": evaluate_table,
        "natural": lambda: evaluate_table("natural.json"),
        "glossary": lambda: evaluate_table("glossary.json"),
        "drafts": lambda: evaluate_table("drafts.json"),
        "methods": methods_table,
    },
    "indexer/embedding/models/base/MODEL_CARD.md": {"evaluate": evaluate_table},
    "indexer/embedding/models/small/MODEL_CARD.md": {"evaluate": evaluate_table},
}


def render(text: str, parts: dict[str, Any]) -> str:
    """The page with each marked part made anew."""
    for name, make in parts.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"the markers of {name!r} are missing")
        body = make()
        text = pattern.sub(lambda match, body=body: f"{match[1]}{body}\n{match[2]}", text)
    return text


def main() -> int:
    """Rewrite or check every page."""
    stale = []
    for name, parts in PAGES.items():
        path = HERE.parent / name
        old = path.read_text(encoding="utf-8")
        new = render(old, parts)
        if new != old:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(new, encoding="utf-8")
    print("\n".join(f"out of date: {name}" for name in stale) or "up to date")
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
