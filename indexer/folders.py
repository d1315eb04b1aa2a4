"""Whether an indexed folder is there: to be gone is one thing, and not to be accessible for now another."""

from __future__ import annotations

import stat
from pathlib import Path

GONE = "gone"


def why_away(folder: Path) -> str:
    """What a folder is that cannot be looked at: `GONE`, or not accessible and why; empty where it can be.

    The reason may be an unplugged drive, a server that does not answer, or permissions: all of them pass.
    """
    try:
        return "" if stat.S_ISDIR(folder.stat().st_mode) else GONE
    except (FileNotFoundError, NotADirectoryError):
        return GONE
    except OSError as error:
        return f"not accessible ({error.strerror or error})"
