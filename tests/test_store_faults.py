"""Short runs of the long trials in benchmarks/: kills, damage, full disks, permissions, clocks, processes, fuzz."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the trials fork")


def run(script: str, *options: object) -> dict:
    command = [sys.executable, str(BENCHMARKS / script), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert done.returncode == 0, json.dumps(result, indent=1)
    return result


@pytest.mark.parametrize(
    ("fault", "options", "count"),
    [
        ("kills", ["--kills", 8], ("kills", 8)),
        ("damages", ["--damages", 6], ("damages", 6)),
        ("disks", ["--disks", 3], ("disks", 3)),
        ("permissions", [], ("cases", 9)),
        ("clocks", ["--clocks", 12], ("updates", 12)),
    ],
)
def test_a_store_outlives_faults_and_embeds_nothing_twice(fault: str, options: list, count: tuple) -> None:
    found = run("faults.py", "--only", fault, "--seed", 1, *options)[fault]
    assert found["problems"] == []
    assert found[count[0]] == count[1]


def test_many_processes_on_one_store_end_in_the_state_of_a_fresh_index() -> None:
    found = run("together.py", "--seconds", 6)
    assert found["counts"]["edits"] > 0 < found["counts"]["searches of the servers"]


def test_mutated_sources_of_every_language_are_parsed() -> None:
    found = run("fuzz.py", "--seconds", 1)
    assert len(found["languages"]) >= 20
    assert found["failures"] == []
