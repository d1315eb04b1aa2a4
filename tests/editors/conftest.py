"""The mark of tests that need an editor."""

from __future__ import annotations


def pytest_configure(config):
    config.addinivalue_line("markers", "editors: needs Neovim, Emacs or Vim; skipped where they are missing")
