"""Every weight of the ranking, fitted by benchmarks/fit_ranking.py; do not edit by hand.

The names are those of `features.features`. A missing name counts nothing.
"""

FIELD_WEIGHTS = (5.0, 5.0, 2.0, 1.0)
"""Of symbol, path, doc and body in the BM25 of the first stage."""

WORDS_ONLY = {
    "words": 0.56,
    "verbatim": 2.0,
    "file_words": 0.62,
    "file_words_top": 2.34,
    "file_name": 1.46,
    "file_name_whole": 1.34,
    "folder": 3.87,
    "symbol": 1.65,
    "symbol_whole": 1.47,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.83,
    "named_in_file": -0.21,
    "file_named": 0.69,
    "name_query_named": 2.01,
    "name_query_type": 0.87,
    "is_text": -5.97,
    "is_type": -0.2,
    "length": 0.49,
    "test": -4.97,
    "example": -6.08,
    "vendored": -4.58,
    "generated": -6.0,
    "superseded": -2.95,
    "foreign_platform": -1.67,
    "header": -5.15,
    "depth": -0.26,
}

HYBRID = {
    "words": 0.27,
    "verbatim": 2.0,
    "file_words": 0.43,
    "file_words_top": 0.67,
    "file_name": 1.74,
    "file_name_whole": 0.97,
    "folder": 4.05,
    "symbol": 1.15,
    "symbol_whole": 0.17,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.79,
    "named_in_file": -0.5,
    "file_named": 0.86,
    "name_query_named": 2.8,
    "name_query_type": 1.77,
    "is_text": -7.69,
    "is_type": -0.41,
    "length": 0.23,
    "test": -6.88,
    "example": -7.03,
    "vendored": -5.44,
    "generated": -7.74,
    "superseded": -2.39,
    "foreign_platform": -1.37,
    "header": -6.63,
    "depth": -0.27,
    "dense": 0.82,
    "file_dense": -0.26,
    "file_dense_top": 0.48,
    "name_query_dense": -0.62,
}

SAME_FILE = 3.0
"""What a result loses where a better one of the same file, or with the same text, is before it."""

BLOCK_IN_FILE = 3.0
TYPE_IN_FILE = 1.0
"""How much better than a function of its file a block of statements, or a type, must be to stand before it."""

RESCORED_KINDS = ("sentence", "code", "trace")
RESCORED = 20
NEARNESS = 0.2
"""For which kinds of queries so many of the best are ordered anew: what a standard deviation of the nearness of their
tokens counts. Key words and questions gain nothing by it (benchmarks/README.md)."""

CHANCE = (0.221, -0.902)
WORDS_ONLY_CHANCE = (0.21, -1.23)
"""Slope and offset: a score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers. So answers
of several folders can be put together, also where one of them has no vectors yet."""
