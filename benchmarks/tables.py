"""Write the tables of README.md and docs/embedder.md from the results beside this file.

python -m benchmarks.tables          rewrites what stands between the markers
python -m benchmarks.tables --check  exits 1 where a page is out of date
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from indexer.evaluation.run import table

HERE = Path(__file__).parent
RESULTS = HERE / "results"


def _read(name: str) -> dict[str, Any] | None:
    path = RESULTS / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def evaluate_table() -> str:
    """Embedders side by side, dense alone."""
    found = _read("evaluate.json")
    return table(found["results"]) if found else "Not measured yet."


def repos_table() -> str:
    """NDCG@10 of whole-repository search, by what is switched on."""
    found = [_read(path.name) for path in sorted(RESULTS.glob("ranking-*.json"))]
    results = [result for result in found if result and "repositories" in result["settings"]["what"]]
    if not results:
        return "Not measured yet."
    columns = max((list(result["ndcg@10"]) for result in results), key=len)
    lines = ["| NDCG@10 | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for result in results:
        cells = [result["ndcg@10"].get(column) for column in columns]
        shown = ["" if cell is None else f"{cell['all']:.3f}" for cell in cells]
        lines.append(f"| {result['settings']['what']} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def speed_table() -> str:
    """Functions a second and query latency, each beside MiniLM in the same run."""
    found = _read("speed.json")
    if not found:
        return "Not measured yet."
    lines = [
        "| on the same texts in the same run | functions/s | query p50, ms | query p99, ms |",
        "|---|---|---|---|",
    ]
    for row in found["models"]:
        lines.append(
            f"| {row['name']} | {row['functions_per_s']:.1f} | {row['query_p50_ms']:.1f} | {row['query_p99_ms']:.1f} |"
        )
    return "\n".join(lines)


PAGES = {
    "README.md": {"table": lambda: "\n\n".join((repos_table(), evaluate_table(), speed_table()))},
    "docs/embedder.md": {"evaluate": evaluate_table},
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
