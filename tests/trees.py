"""Trees of files, and Git as the person who runs the tests has not configured it."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexer.types import SkippedFile, SourceFile
from indexer.walk import walk


@dataclass(frozen=True)
class Settings:
    max_file_bytes: int = 2_000_000
    exclude: tuple[str, ...] = ()
    include_text: bool = True


@pytest.fixture(autouse=True)
def no_global_excludes(tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return home


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def found(root: Path, config: Settings = Settings(), **more) -> list[str]:
    return [item.path for item in walk(root, config, **more) if isinstance(item, SourceFile)]


def skipped(root: Path, config: Settings = Settings(), **more) -> dict[str, str]:
    return {item.path: item.reason for item in walk(root, config, **more) if isinstance(item, SkippedFile)}


def refuse_access(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have a folder be one that nobody may look at, also where the tests are run by root."""
    real = type(folder).stat

    def refuse(path: Path, **options) -> os.stat_result:
        if path == folder:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, **options)

    monkeypatch.setattr(type(folder), "stat", refuse)
