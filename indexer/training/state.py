"""The files of a run in its work folder."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from indexer.errors import UserError


def read_state(path: Path) -> Any:  # noqa: ANN401 - as of `torch.load`
    """What `torch.save` wrote, tensors and plain values; `UserError` where the file is damaged."""
    try:
        return torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"{path} cannot be read: {first} Remove it, and what it held is done anew."
        ) from error
