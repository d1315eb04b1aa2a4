"""Real editors: each asks a sentence and jumps to the answer, with nothing but its own LSP client."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lsp.conftest import FILES, SERVER, write_files

pytestmark = pytest.mark.editors

HERE = Path(__file__).parent
REQUIRED = "CODEWHERE_REQUIRE_EDITORS"  # set where a missing editor is a failure, as in CI
NEOVIM_CURRENT = "CODEWHERE_NEOVIM_CURRENT"  # path of a current Neovim; Debian's is older


def editor(name: str, found: str | None) -> str:
    if found and shutil.which(found):
        return found
    if os.environ.get(REQUIRED):
        pytest.fail(f"{name} is missing, and {REQUIRED} is set")
    pytest.skip(f"{name} is missing")


def run(command, tmp_path, **more):
    project = write_files(tmp_path / "project", FILES)
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "CODEWHERE_HOME": str(tmp_path / "home"),
        "EDITOR_TEST_PROJECT": str(project),
        "EDITOR_TEST_PYTHON": sys.executable,
        "EDITOR_TEST_SERVER": str(SERVER),
        "EDITOR_TEST_DOCS": str(HERE.parent.parent / "docs" / "editors.md"),
        **more,
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout + done.stderr


def assert_passed(status, log, n_checks):
    assert "FAIL" not in log and status == 0, log
    assert log.count("ok   ") == n_checks, log


@pytest.mark.parametrize(("which", "n_checks"), [("nvim", 11), (NEOVIM_CURRENT, 15)])
def test_neovim_asks_and_jumps(tmp_path, which, n_checks):
    path = os.environ.get(which) if which == NEOVIM_CURRENT else which
    nvim = editor(f"Neovim ({which})", path)
    script = str(HERE / "neovim.lua")
    command = [nvim, "--headless", "-u", "NONE", "-i", "NONE", "-n", "-c", f"luafile {script}"]
    assert_passed(*run(command, tmp_path, XDG_STATE_HOME=str(tmp_path / "state")), n_checks)


def test_emacs_eglot_asks_and_jumps(tmp_path):
    emacs = editor("Emacs", "emacs")
    assert_passed(*run([emacs, "-q", "--batch", "-l", str(HERE / "eglot.el")], tmp_path), 8)


def test_vim_ale_asks_and_jumps(tmp_path):
    vim = editor("Vim", "vim")
    log = tmp_path / "log"
    log.touch()
    # As in a work tree of its own: there `.git` is a file.
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / ".git").write_text("gitdir: elsewhere\n")
    command = [vim, "-N", "-u", str(HERE / "ale.vim"), "-i", "NONE", "-n", "--not-a-term", "-T", "dumb"]
    status, output = run(command, tmp_path, EDITOR_TEST_LOG=str(log))
    text = log.read_text()
    assert text, output
    assert_passed(status, text, 3)
