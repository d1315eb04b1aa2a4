"""The languages codewhere reads: what tells them, and how their functions are found.

A language is one row of `registry.ROWS`, one query file `queries/<language>.scm` and one golden test.
"""

from __future__ import annotations

from indexer.languages.detect import language_of, languages_named
from indexer.languages.registry import LANGUAGES, Language

__all__ = ["LANGUAGES", "Language", "language_of", "languages_named"]
