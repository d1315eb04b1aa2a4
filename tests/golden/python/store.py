#!/usr/bin/env python3
# Copyright 2020 Example Authors. All rights reserved.
"""A small key-value store.

It keeps everything in memory.
"""

import os
from functools import cached_property

LIMIT = 10


def connect(url, *, timeout=3.0):
    """Open a connection.

    Args:
        url: where to.
    """
    return url, timeout


# Undocumented otherwise: a plain comment above.
# It has two lines.
async def close(connection):
    await connection.close()


@register("store", eager=True)
# The comment between a decorator and the class.
class Store(Base, metaclass=Meta):
    '''Keeps values by key.'''

    size: int = 0
    __slots__ = ("values",)

    def __init__(self, values=None):
        self.values = values or {}

    @property
    def count(self) -> int:
        r"""How many values there are."""
        return len(self.values)

    @count.setter
    def count(self, value): self._count = value

    @staticmethod
    def make(kind: str): return Store()

    class Entry:
        """One value."""

        key = None

        def matches(self, key):
            """Only a docstring."""

    def walk(self):
        def visit(node):
            yield node

        square = lambda x: x * x
        return [visit(square(n)) for n in self.values]


normalise = lambda text: text.strip().lower()


def no_doc_but_string():
    text = "not a doc"
    return text


if __name__ == "__main__":
    print(connect(os.environ["URL"]))
