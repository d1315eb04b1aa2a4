"""Every weight of the ranking, fitted by benchmarks/fit_ranking.py; do not edit by hand.

The names are those of `features.features`. A missing name counts nothing.
"""

FIELD_WEIGHTS = (5.0, 5.0, 2.0, 1.0)
"""Of symbol, path, doc and body in the BM25 of the first stage."""

WORDS_ONLY = {
    "words": 8.15,
    "file_name": 0.97,
    "file_name_whole": 1.47,
    "folder": 3.58,
    "symbol": 1.05,
    "symbol_whole": 1.89,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.81,
    "named_in_file": -0.26,
    "file_named": 0.54,
    "name_query_named": 1.98,
    "name_query_type": 0.21,
    "is_text": -5.98,
    "is_type": -0.09,
    "length": 0.39,
    "test": -5.01,
    "example": -6.5,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -3.15,
    "foreign_platform": -1.54,
    "header": -4.14,
    "depth": -0.32,
    "file_words": 0.6,
    "file_words_top": 2.54,
}

HYBRID = {
    "words": 3.05,
    "file_name": 1.01,
    "file_name_whole": 1.05,
    "folder": 3.61,
    "symbol": 0.82,
    "symbol_whole": 0.34,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.63,
    "named_in_file": -0.52,
    "file_named": 0.8,
    "name_query_named": 2.88,
    "name_query_type": 1.05,
    "is_text": -7.04,
    "is_type": -0.15,
    "length": 0.2,
    "test": -5.94,
    "example": -6.63,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -2.48,
    "foreign_platform": -1.03,
    "header": -5.26,
    "depth": -0.45,
    "file_words": 0.5,
    "file_words_top": 1.47,
    "dense": 0.96,
    "file_dense": -0.31,
    "file_dense_top": 0.37,
    "name_query_dense": -0.82,
}

SAME_FILE = 3.0
"""What a result loses where a better one of the same file is before it."""

CHANCE_SLOPE = 0.205
CHANCE_OFFSET = -1.032
"""A score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers."""
