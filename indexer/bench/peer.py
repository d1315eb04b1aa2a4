"""A sentence-transformers model in a process of its own, which `indexer.bench.beside` asks.

So it has the threads that its library gives it: what codewhere sets for its own process would slow it down. Each line
that comes in is a JSON object, ``{"texts": [...], "query": bool}``; each that goes out is the seconds it took.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    """Load the model that the first argument names on the device of the second, with the threads of the third."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints is no answer

    import torch
    from sentence_transformers import SentenceTransformer

    name, device, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    model = SentenceTransformer(name, device=device)
    print(0.0, file=answers)
    for line in sys.stdin:
        request = json.loads(line)
        encode = model.encode_query if request["query"] else model.encode_document
        start = time.perf_counter()
        encode(request["texts"], show_progress_bar=False)
        print(time.perf_counter() - start, file=answers)
