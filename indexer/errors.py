"""The error a person is meant to read."""

from __future__ import annotations


class UserError(Exception):
    """Something the person can set right; the message says what is wrong and what to do."""
