"""Every weight of the ranking, fitted by benchmarks/fit_ranking.py; do not edit by hand.

The names are those of `features.features`. A missing name counts nothing.
"""

FIELD_WEIGHTS = (5.0, 5.0, 2.0, 1.0)
"""Of symbol, path, doc and body in the BM25 of the first stage."""

WORDS_ONLY = {
    "words": 4.8,
    "coverage": 0.4,
    "file_name": 0.9,
    "file_name_whole": 2.1,
    "folder": 3.5,
    "symbol": 0.4,
    "symbol_whole": 1.3,
    "named": 0.5,
    "named_type": 0.7,
    "named_in_file": 0.8,
    "file_named": 0.7,
    "name_query_named": 1.0,
    "name_query_type": 1.5,
    "is_text": -3.7,
    "is_type": -0.3,
    "length": 0.35,
    "test": -4.2,
    "example": -2.4,
    "vendored": -2.4,
    "generated": -2.4,
    "superseded": -3.5,
    "foreign_platform": -1.5,
    "header": -2.6,
    "depth": -0.6,
    "file_words": 0.85,
    "file_words_top": 2.6,
}

HYBRID = {**WORDS_ONLY, "dense": 0.3, "file_dense": 0.5}

SAME_FILE = 1.0
"""What a result loses for each better one of the same file."""

CHANCE_SLOPE = 0.5
CHANCE_OFFSET = -3.0
"""A score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers."""
