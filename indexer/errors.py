"""The errors a person is meant to read."""

from __future__ import annotations


class UserError(Exception):
    """Something the person can set right; the message says what is wrong and what to do."""


class NotIndexed(UserError):
    """A folder that was never indexed; `place` is how the message names it."""

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} is not indexed yet. Run `codewhere index {place}` first.")


class RootBusy(UserError):
    """Another process is indexing the same root; what is indexed already can be searched all the same."""

    def __init__(self, root: str, pid: int | None) -> None:
        self.pid = pid
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"{root} is being indexed by {who}. Try again when it has finished.")
