"""`codewhere bench`: how fast this machine is, measured with a store of its own that is removed afterwards."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from indexer.commands.common import EmbedderLoader, Flags, existing_folder, settings_for
from indexer.commands.progress import ProgressDisplay
from indexer.errors import UserError
from indexer.render import bars, bytes_text, print_json, print_line, print_table

_UNITS = (
    ("_mb_a_second_a_core", "MB/s a core"),
    ("_a_second", "/s"),
    ("peak_flops", "TFLOP/s"),
    ("flops", "TFLOP/s"),
    ("_ms", "ms"),
    ("_s", "s"),
)


def bench(
    path: Path | None, flags: Flags, *, beside: Sequence[str], output: Path | None, as_json: bool
) -> None:
    """Measure on a folder; by default on codewhere's own source, which makes machines comparable."""
    import indexer
    from indexer.bench import measure
    from indexer.embedding import load_configured

    if output is not None and not output.parent.is_dir():
        raise UserError(f"--output {output}: there is no folder {output.parent}.")
    root = existing_folder(path or Path(indexer.__path__[0]))
    with tempfile.TemporaryDirectory(prefix="codewhere-bench-") as home:
        config = replace(settings_for(root, flags), home=Path(home))
        loader = EmbedderLoader(config)
        with ProgressDisplay(loader) as display:
            figures = measure(root, config, lambda: load_configured(config), display, beside)
    figures = {"commit": _commit(), "root": root.name, **figures}
    if output is not None:
        output.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print_json(figures)
    else:
        print_table([[name, value] for name, value in bench_rows(figures)], ["MEASURED", "VALUE"])
        for line in _plot(figures["beside"]):
            print_line(line)


def bench_rows(figures: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Each figure with its name and unit, but for the other models."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from bench_rows(value, f"{above}{name.replace('_', ' ')}: ")
        elif name != "beside":
            yield above + _label(name), _shown(name, value)


def _label(name: str) -> str:
    for ending, _ in _UNITS:
        if name.endswith(ending) and name != ending:
            name = name.removesuffix(ending)
            break
    return name.replace("_", " ")


def _shown(name: str, value: object) -> str:
    if not isinstance(value, int | float):
        return str(value)
    if "bytes" in name:
        return bytes_text(value)
    if name.endswith("share"):
        return f"{value:.0%}"
    unit = next((unit for ending, unit in _UNITS if name.endswith(ending)), "")
    if unit == "TFLOP/s":
        return f"{value / 1e12:,.2f} {unit}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f} {unit}".rstrip()


def _plot(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Bars of functions a second, the longest full width."""
    if not rows:
        return
    most = max(row["functions_a_second"] for row in rows)
    yield ""
    shown = []
    for row in rows:
        rate = row["functions_a_second"]
        wait = f"query {row['query_p50_ms']:.1f} ms (p50), {row['query_p99_ms']:.1f} ms (p99)"
        shown.append((row["name"], rate / most, f"{rate:,.1f} functions/s, {wait}"))
    yield from bars(shown)


def _commit() -> str:
    """Of codewhere itself where it runs from a clone, so that results can be told apart."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
