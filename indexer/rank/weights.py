"""Every weight of the ranking, fitted by benchmarks/fit_ranking.py; do not edit by hand.

The names are those of `features.features`. A missing name counts nothing.
"""

FIELD_WEIGHTS = (5.0, 5.0, 2.0, 1.0)
"""Of symbol, path, doc and body in the BM25 of the first stage."""

WORDS_ONLY = {
    "words": 5.08,
    "file_name": 1.03,
    "file_name_whole": 1.84,
    "folder": 3.72,
    "symbol_whole": 1.4,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.89,
    "named_in_file": -0.23,
    "file_named": 0.31,
    "name_query_named": 2.38,
    "name_query_type": 0.12,
    "is_text": -5.2,
    "is_type": -0.25,
    "length": 0.43,
    "test": -4.69,
    "example": -6.19,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -6.16,
    "foreign_platform": -2.88,
    "header": -4.19,
    "depth": -0.37,
    "file_words": 0.77,
    "file_words_top": 2.78,
}

HYBRID = {
    "words": 3.79,
    "file_name": 1.4,
    "file_name_whole": 1.77,
    "folder": 4.75,
    "symbol": -0.66,
    "symbol_whole": 0.82,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 1.02,
    "named_in_file": -0.51,
    "file_named": 0.58,
    "name_query_named": 3.11,
    "name_query_type": 0.67,
    "is_text": -5.88,
    "length": 0.34,
    "test": -5.43,
    "example": -6.79,
    "vendored": -3.0,
    "generated": -3.37,
    "superseded": -7.47,
    "foreign_platform": -3.66,
    "header": -5.9,
    "depth": -0.52,
    "file_words": 0.76,
    "file_words_top": 1.07,
    "dense": 0.74,
    "file_dense": -0.05,
    "file_dense_top": -0.08,
    "name_query_dense": -0.72,
}

SAME_FILE = 3.0
"""What a result loses for each better one of the same file, up to two."""

CHANCE_SLOPE = 0.265
CHANCE_OFFSET = -2.176
"""A score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers."""
