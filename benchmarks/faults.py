"""Does to a store what must not hurt it, and checks that it did not: kills, damage, full disks, permissions, clocks.

    python benchmarks/faults.py --kills 200 --output benchmarks/results/faults.json

After each fault the store must open, what it answers after an update must equal the answers of a fresh index,
and of what was embedded before at most one batch may be embedded again. The embedder is the hashing one of the
tests. Each step runs in a forked process, so that a fault is that of one process as users run it. POSIX only.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import answers, edit, report, write_project
from kills import job_index, kills, make_templates
from trial import BATCH, FILES, PER_FILE, Trial, fork, told_by, wait_for

from indexer.errors import UserError
from indexer.parse import parse
from indexer.store import check, repair
from indexer.store.database import FILE_NAME
from indexer.types import Progress


def noise(data: bytes, rng: random.Random, spots: int, size: int) -> bytes:
    content = bytearray(data)
    for _ in range(spots):
        start = rng.randrange(max(1, len(content)))
        content[start : start + size] = rng.randbytes(min(size, len(content) - start))
    return bytes(content)


DAMAGES: dict[str, Callable[[bytes, random.Random], bytes | None]] = {
    "removed": lambda data, rng: None,
    "empty": lambda data, rng: b"",
    "half": lambda data, rng: data[: len(data) // 2],
    "cut": lambda data, rng: data[:-10],
    "one bad page": lambda data, rng: noise(data, rng, 1, 4096),
    "bad spots": lambda data, rng: noise(data, rng, 5, 64),
    "garbage": lambda data, rng: rng.randbytes(len(data)),
    "grown": lambda data, rng: data + rng.randbytes(5000),
}


def damages(work: Path, count: int, seed: int) -> dict[str, Any]:
    """Damage each file of a store in each way; where codewhere says so, `doctor --repair` must heal it."""
    rng = random.Random(seed)
    full = killed_in_the_middle(work)
    names = sorted(path.relative_to(full / "home").as_posix() for path in (full / "home").rglob("*"))
    files = [name for name in names if (full / "home" / name).is_file()]
    found: dict[str, Any] = {"files": files, "damages": 0, "told": 0, "problems": []}
    cases = [(name, damage) for name in files for damage in DAMAGES] * (
        1 + count // (len(files) * len(DAMAGES))
    )
    for number, (name, damage) in enumerate(rng.sample(cases, count)):
        trial = reused(work, full)
        path = trial.home / name
        content = DAMAGES[damage](path.read_bytes(), rng)
        path.unlink() if content is None else path.write_bytes(content)
        result = told_by(lambda trial=trial: heal(trial))
        found["damages"] += 1
        found["told"] += "told" in result
        found["problems"] += [f"{number}: {name}, {damage}: {told}" for told in result if told != "told"]
    return found


def reused(work: Path, template: Path) -> Trial:
    """The template itself with the home it had first: its log knows its own path only."""
    kept = work / "kept"
    if not kept.exists():
        shutil.copytree(template / "home", kept)
        shutil.copy(template / "embedded", work / "kept-embedded")
    trial = Trial.__new__(Trial)
    trial.home, trial.root, trial.log = template / "home", template / "project", template / "embedded"
    trial.fresh, trial.stage = template / "fresh", mmap.mmap(-1, 16)
    for folder in (trial.home, trial.fresh):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(kept, trial.home)
    shutil.copy(work / "kept-embedded", trial.log)
    return trial


def killed_in_the_middle(work: Path) -> Path:
    """A store with every kind of file: a log not yet moved into the database, a graph, locks, a process id."""
    trial = Trial(work / "damaged")
    wait_for(fork(lambda: job_index(trial, random.Random(0))))
    write_project(trial.root, FILES + 6, PER_FILE)
    reader, writer = os.pipe()

    def stop_half_way() -> None:
        def on_progress(progress: Progress) -> None:
            if progress.stage == "embed" and progress.done >= 8:
                os.write(writer, b"x")
                time.sleep(60)

        with trial.open() as index:
            index.update(batch_size=BATCH, on_progress=on_progress)

    child = fork(stop_half_way)
    os.read(reader, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return work / "damaged"


def heal(trial: Trial) -> list[str]:
    """Use a damaged store as a person would: search, update, and do what the error says."""
    told: list[str] = []
    try:
        with trial.open() as index:
            answers(index)
            trial.update(index)
    except UserError as error:
        told.append("told")
        if "--repair" not in str(error) and "damaged" not in str(error):
            told.append(f"an error without advice: {error}")
    if check(trial.home):
        told.append("told")
        repair(trial.home)
    return sorted({*told, *trial.verify(allowed_again=10**9)})


def full_disks(work: Path, count: int) -> dict[str, Any]:
    """Update on disks of many sizes, then with room; a small tmpfs where it may be mounted, else a file limit."""
    found: dict[str, Any] = {"disks": 0, "full": 0, "kind": "tmpfs", "problems": []}
    for number in range(count):
        trial = Trial(work / f"disk{number}")
        trial.home.mkdir(mode=0o700)
        kib = 64 + number * 1200 // count
        mounted = os.geteuid() == 0 and mount(trial.home, kib) == 0
        found["kind"] = "tmpfs" if mounted else "RLIMIT_FSIZE"
        told = told_by(lambda trial=trial, limit=None if mounted else kib * 1024: fill(trial, limit))
        if mounted:
            mount(trial.home, 65_536, "remount,")
        found["disks"] += 1
        found["full"] += "full" in told
        told += told_by(lambda trial=trial: trial.verify(BATCH))
        found["problems"] += [f"disk of {kib} KiB: {sentence}" for sentence in told if sentence != "full"]
        if mounted:
            os.system(f"umount {trial.home}")
    return found


def mount(folder: Path, kib: int, remount: str = "") -> int:
    return os.system(f"mount -t tmpfs -o {remount}size={kib}k,mode=700 tmpfs {folder} 2>/dev/null")


def fill(trial: Trial, limit: int | None) -> list[str]:
    import resource

    if limit is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    told = []
    try:
        with trial.open() as index:
            trial.update(index)
            told = ["full"] if index.update().notes else []
    except UserError as error:
        told = ["full"] if "disk is full" in str(error) else [f"another error: {error}"]
    try:
        with trial.open() as index:
            if index.indexed:
                answers(index)
    except UserError as error:
        # Where not even the first page fits there is nothing to answer from.
        told += [] if "disk is full" in str(error) else [f"no answer: {error}"]
    return told


DENIED = {
    "data folder read-only": ("home", 0o500),
    "data folder closed": ("home", 0o000),
    "database read-only": (f"home/{FILE_NAME}", 0o400),
    "database closed": (f"home/{FILE_NAME}", 0o000),
    "graphs closed": ("home/hnsw", 0o000),
    "locks closed": ("home/locks", 0o000),
    "project closed": ("project", 0o000),
    "folder closed": ("project/pkg1", 0o000),
    "file closed": ("project/pkg1/f00001.py", 0o000),
}


def permissions(work: Path) -> dict[str, Any]:
    """Take permissions away, use the store as a user without privileges, give them back."""
    found: dict[str, Any] = {"cases": 0, "problems": []}
    _, full = make_templates(work)
    # Without privileges neither a worker can be started from here nor a grammar be imported.
    parse("a.py", b"def warm_up(): pass")
    for number, (name, (place, mode)) in enumerate(DENIED.items()):
        trial = Trial(work / f"denied{number}", full)
        if os.geteuid() == 0:
            os.system(f"chmod a+x {work} && chown -R 65534:65534 {work / f'denied{number}'}")
        path = work / f"denied{number}" / place
        before = path.stat().st_mode
        path.chmod(mode)
        told = told_by(lambda trial=trial: use_denied(trial))
        path.chmod(before)
        told += told_by(lambda trial=trial: drop_privileges() or trial.verify(0))
        found["cases"] += 1
        found["problems"] += [f"{name}: {sentence}" for sentence in told]
    return found


def drop_privileges() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def use_denied(trial: Trial) -> list[str]:
    drop_privileges()
    for use in (answers, lambda index: index.update()):
        try:
            with trial.open() as index:
                use(index)
        except UserError:
            continue  # a sentence is all that is asked for
    return []


def clocks(work: Path, rounds: int, seed: int) -> dict[str, Any]:
    """Edit, update and collect while the clock jumps, mostly backwards, and files get any times."""
    trial = Trial(work / "clock")
    rng = random.Random(seed)
    told = told_by(lambda: jump(trial, rng, rounds) or trial.verify(BATCH))
    return {"updates": rounds, "problems": told}


def jump(trial: Trial, rng: random.Random, rounds: int) -> None:
    real, real_ns = time.time, time.time_ns
    offset = 0.0
    time.time = lambda: real() + offset
    time.time_ns = lambda: real_ns() + int(offset * 1e9)
    with trial.open() as index:
        for number in range(rounds):
            edit(trial.root, rng)
            replace_unseen(rng.choice([path for path in trial.root.rglob("*.py")]), rng)
            time.sleep(0.01)  # the system counts time for files in steps of some milliseconds
            trial.update(index)
            offset -= rng.choice((0.0, 3.0, 3600.0, 86_400.0, -10_000.0))
            if number % 10 == 0:
                index._store.gc()
    time.time, time.time_ns = real, real_ns


def replace_unseen(path: Path, rng: random.Random) -> None:
    """Change a file but neither its size nor its times, as far as programs may set them."""
    status = path.stat()
    text = path.read_text()
    digits = [place for place, letter in enumerate(text) if letter.isdigit()]
    place = rng.choice(digits)
    path.write_text(f"{text[:place]}{rng.randrange(10)}{text[place + 1 :]}")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def warm_up() -> None:
    """Load all code now: forked processes start at once, and need no permission to read it."""
    with tempfile.TemporaryDirectory(prefix="codewhere-faults-") as work:
        trial = Trial(Path(work).resolve() / "warm")
        job_index(trial, random.Random(0))
        with trial.open() as index:
            answers(index)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--damages", type=int, default=200)
    parser.add_argument("--disks", type=int, default=24)
    parser.add_argument("--clocks", type=int, default=60, help="updates while the clock jumps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--only", choices=["kills", "damages", "disks", "permissions", "clocks"], action="append"
    )
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    faults = {
        "kills": lambda work: kills(work, options.kills, options.seed),
        "damages": lambda work: damages(work, options.damages, options.seed),
        "disks": lambda work: full_disks(work, options.disks),
        "permissions": permissions,
        "clocks": lambda work: clocks(work, options.clocks, options.seed),
    }
    result: dict[str, Any] = {"settings": {**vars(options), "output": None, "batch": BATCH}}
    warm_up()
    for name in options.only or faults:
        with tempfile.TemporaryDirectory(prefix="codewhere-faults-") as work:
            start = time.monotonic()
            result[name] = faults[name](Path(work).resolve())
            result[name]["seconds"] = round(time.monotonic() - start, 1)
    report(result, options.output)
    return int(any(result[name]["problems"] for name in options.only or faults))


if __name__ == "__main__":
    sys.exit(main())
