"""The language server as users start it, except that a hashing embedder takes the place of the model."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lsp_server.server import create_server
from lsp_server.transport import serve_stdio, serve_tcp
from tests.fakes import HashEmbedder


class SlowEmbedder(HashEmbedder):
    """Takes a while for every code text, as a real model does."""

    def encode_code(self, texts):
        time.sleep(float(os.environ.get("HASH_SECONDS_PER_TEXT", "0")) * len(texts))
        return super().encode_code(texts)

    def encode_queries(self, texts):
        crash = os.environ.get("HASH_CRASH")
        if crash and any(crash in text for text in texts):
            raise RuntimeError(crash)
        time.sleep(float(os.environ.get("HASH_QUERY_SECONDS", "0")))
        return super().encode_queries(texts)


def load(config):
    if config.model == "broken":
        raise OSError("no such model")
    time.sleep(float(os.environ.get("HASH_LOAD_SECONDS", "0")))
    embedder = SlowEmbedder()
    if config.model != "auto":
        embedder.name = config.model
        embedder.fingerprint = f"hash-{config.model}"
    return embedder


if __name__ == "__main__":
    if "--tcp" in sys.argv:
        serve_tcp(lambda: create_server(load), "127.0.0.1", 0, allow_remote=False)
    else:
        serve_stdio(create_server(load))
