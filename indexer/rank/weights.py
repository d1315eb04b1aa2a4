"""Every weight of the ranking, fitted by benchmarks/fit_ranking.py; do not edit by hand.

The names are those of `features.features`. A missing name counts nothing.
"""

FIELD_WEIGHTS = (5.0, 5.0, 2.0, 1.0)
"""Of symbol, path, doc and body in the BM25 of the first stage."""

WORDS_ONLY = {
    "words": 7.85,
    "file_name": 1.0,
    "file_name_whole": 1.49,
    "folder": 3.56,
    "symbol": 1.08,
    "symbol_whole": 1.87,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.93,
    "named_in_file": -0.25,
    "file_named": 0.51,
    "name_query_named": 1.95,
    "name_query_type": 0.22,
    "is_text": -5.99,
    "is_type": -0.22,
    "length": 0.39,
    "test": -5.01,
    "example": -6.51,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -3.15,
    "foreign_platform": -1.54,
    "header": -4.12,
    "depth": -0.32,
    "file_words": 0.59,
    "file_words_top": 2.8,
}

HYBRID = {
    "words": 3.01,
    "file_name": 1.07,
    "file_name_whole": 1.06,
    "folder": 3.64,
    "symbol": 0.89,
    "symbol_whole": 0.38,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.79,
    "named_in_file": -0.54,
    "file_named": 0.79,
    "name_query_named": 2.85,
    "name_query_type": 1.06,
    "is_text": -7.04,
    "is_type": -0.32,
    "length": 0.2,
    "test": -5.94,
    "example": -6.64,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -2.47,
    "foreign_platform": -1.02,
    "header": -5.22,
    "depth": -0.46,
    "file_words": 0.47,
    "file_words_top": 1.51,
    "dense": 0.93,
    "file_dense": -0.3,
    "file_dense_top": 0.4,
    "name_query_dense": -0.8,
}

SAME_FILE = 3.0
"""What a result loses where a better one of the same file is before it."""

CHANCE_SLOPE = 0.205
CHANCE_OFFSET = -1.02
"""A score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers."""
