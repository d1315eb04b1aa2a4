"""The command line as users run it, except that a hashing embedder takes the place of the model."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes import HashEmbedder

from indexer import cli, embedding
from indexer.embedding import quick

embedding.load_embedder = lambda *arguments, **options: HashEmbedder()
quick.quick_embedder = lambda *arguments, **options: None

if __name__ == "__main__":
    sys.exit(cli.main())
