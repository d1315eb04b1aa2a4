"""The kills of faults.py: processes that index, watch, migrate and collect end at random moments."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import edit
from trial import BATCH, Trial, fork, newer_version, told_by, wait_for

from indexer.watch import Watcher


def job_index(trial: Trial, rng: random.Random) -> None:
    with trial.open() as index:
        trial.update(index)


def job_watch(trial: Trial, rng: random.Random) -> None:
    with trial.open() as index:

        class Small:
            root, config = index.root, index.config

            @staticmethod
            def update(**options: Any) -> Any:
                return trial.update(index, **options)

        with Watcher(Small):
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                edit(trial.root, rng)
                time.sleep(rng.uniform(0.0, 0.1))


def job_migrate(trial: Trial, rng: random.Random) -> None:
    with newer_version():
        trial.stage[:16] = b"open".ljust(16)
        with trial.open() as index:
            trial.update(index)


def job_collect(trial: Trial, rng: random.Random) -> None:
    with trial.open() as index:
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            for _ in range(4):
                edit(trial.root, rng)
            trial.update(index)
            trial.stage[:16] = b"collect".ljust(16)
            index._store.gc(grace_days=0)


JOBS: dict[str, Callable[[Trial, random.Random], None]] = {
    "index": job_index,
    "watch": job_watch,
    "migrate": job_migrate,
    "collect": job_collect,
}


def kills(work: Path, count: int, seed: int) -> dict[str, Any]:
    """Kill each job `count` / 4 times, after a random part of the time that it takes unhurt."""
    rng = random.Random(seed)
    empty, full = make_templates(work)
    found: dict[str, Any] = {"kills": 0, "problems": [], "at": Counter()}
    while found["kills"] < count:
        number = found["kills"]
        name = list(JOBS)[number % len(JOBS)]
        trial = Trial(work / "killed", empty if name == "index" else full)
        stage = kill(name, trial, rng)
        if stage:
            found["kills"] += 1
            found["at"][f"{name}: {stage}"] += 1
            found["problems"] += [
                f"kill {number} ({name}, {stage}): {told}" for told in after(name, trial, full)
            ]
        shutil.rmtree(work / "killed")
    return {**found, "at": dict(sorted(found["at"].items()))}


def kill(name: str, trial: Trial, rng: random.Random) -> str:
    """Kill a job at a random moment; the stage it was in, empty where it was done before."""
    seed = rng.random()
    child = fork(lambda: JOBS[name](trial, random.Random(seed)))
    time.sleep(rng.uniform(0.0, SECONDS[name]))
    os.kill(child, signal.SIGKILL)
    if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
        SECONDS[name] *= 0.9  # the machine is quicker than it was
        return ""
    return trial.stage[:16].strip(b" \0").decode() or "start"


SECONDS: dict[str, float] = {"index": 2.0, "watch": 1.4, "migrate": 2.0, "collect": 1.0}
"""What each job takes at most; shortened where that is less."""


def make_templates(work: Path) -> tuple[Path, Path]:
    """A project never indexed, and one that is indexed wholly."""
    for name in ("empty", "full"):
        trial = Trial(work / name)
        trial.home.mkdir(mode=0o700)
        if name == "full":
            wait_for(fork(lambda trial=trial: job_index(trial, random.Random(0))))
    return work / "empty", work / "full"


def after(name: str, trial: Trial, full: Path) -> list[str]:
    """What is wrong after a kill; checked in a process of its own."""
    only = set((full / "embedded").read_text().split()) if name == "collect" else None
    # What collecting took was out of use; only what always was in use must not be embedded again.
    allowed = {"migrate": 0, "collect": 0}.get(name, BATCH)

    def verify() -> list[str]:
        if name != "migrate":
            return trial.verify(allowed, only)
        with newer_version():
            return trial.verify(allowed, only)

    return told_by(verify)
