"""Every weight of the ranking, fitted by benchmarks/fit_ranking.py; do not edit by hand.

The names are those of `features.features`. A missing name counts nothing.
"""

FIELD_WEIGHTS = (5.0, 5.0, 2.0, 1.0)
"""Of symbol, path, doc and body in the BM25 of the first stage."""

WORDS_ONLY = {
    "words": 0.56,
    "verbatim": 2.0,
    "file_words": 0.42,
    "file_words_top": 1.99,
    "file_name": 1.58,
    "file_name_whole": 1.27,
    "folder": 3.48,
    "symbol": 1.89,
    "symbol_whole": 1.62,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.86,
    "named_in_file": -0.26,
    "file_named": 0.78,
    "name_query_named": 1.83,
    "name_query_type": 0.77,
    "is_text": -6.26,
    "is_type": -0.22,
    "length": 0.45,
    "file_found": 0.12,
    "test": -5.2,
    "example": -6.02,
    "vendored": -4.91,
    "generated": -6.23,
    "superseded": -3.35,
    "foreign_platform": -1.65,
    "header": -5.24,
    "depth": -0.3,
}

HYBRID = {
    "words": 0.25,
    "verbatim": 2.0,
    "file_words": 0.17,
    "file_words_top": 0.89,
    "file_name": 2.28,
    "file_name_whole": 0.95,
    "folder": 3.68,
    "symbol": 1.29,
    "symbol_whole": 0.37,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.66,
    "named_in_file": -0.52,
    "file_named": 0.91,
    "name_query_named": 2.82,
    "name_query_type": 1.53,
    "is_text": -7.92,
    "is_type": -0.27,
    "length": 0.24,
    "file_found": 0.23,
    "test": -7.06,
    "example": -7.22,
    "vendored": -6.19,
    "generated": -8.16,
    "superseded": -2.72,
    "foreign_platform": -1.21,
    "header": -6.87,
    "depth": -0.28,
    "dense": 0.85,
    "file_dense": -0.27,
    "file_dense_top": 0.41,
    "name_query_dense": -0.71,
}

SAME_FILE = 3.0
"""What a result loses where a better one of the same file, or with the same text, is before it."""

BLOCK_IN_FILE = 3.0
TYPE_IN_FILE = 1.0
LENGTH_IN_FILE = 0.5
"""How much better than a function of its file a block of statements, or a type, must be to stand before it; and one of
a page than one of a line."""

RESCORED_KINDS = ("sentence", "code", "trace")
RESCORED = 20
NEARNESS = 0.2
"""For which kinds of queries so many of the best are ordered anew: what a standard deviation of the nearness of their
tokens counts. Key words and questions gain nothing by it (benchmarks/README.md)."""

CHANCE = (0.217, -0.996)
WORDS_ONLY_CHANCE = (0.211, -1.241)
"""Slope and offset: a score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers. So answers
of several folders can be put together, also where one of them has no vectors yet."""
