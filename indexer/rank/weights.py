"""Every weight of the ranking, fitted by benchmarks/fit_ranking.py; do not edit by hand.

The names are those of `features.features`. A missing name counts nothing.
"""

FIELD_WEIGHTS = (5.0, 5.0, 2.0, 1.0)
"""Of symbol, path, doc and body in the BM25 of the first stage."""

WORDS_ONLY = {
    "words": 4.77,
    "file_name": 1.0,
    "file_name_whole": 1.87,
    "folder": 2.46,
    "symbol": 0.06,
    "symbol_whole": 1.37,
    "named": 0.3,
    "named_type": 1.31,
    "named_in_file": -0.18,
    "file_named": 0.48,
    "name_query_named": 2.23,
    "name_query_type": -0.12,
    "is_text": -4.99,
    "is_type": -0.72,
    "length": 0.42,
    "test": -4.89,
    "example": -6.79,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -6.48,
    "foreign_platform": -2.91,
    "header": -4.29,
    "depth": -0.36,
    "file_words": 0.78,
    "file_words_top": 3.18,
}

HYBRID = {
    "words": 2.97,
    "file_name": 2.26,
    "file_name_whole": 1.68,
    "folder": 4.29,
    "symbol": -0.77,
    "symbol_whole": 0.97,
    "named": 0.73,
    "named_type": 1.19,
    "named_in_file": -0.59,
    "file_named": 0.13,
    "name_query_named": 2.75,
    "name_query_type": 1.99,
    "is_text": -5.83,
    "is_type": -0.49,
    "length": 0.44,
    "test": -5.68,
    "example": -7.06,
    "vendored": -3.0,
    "generated": -3.09,
    "superseded": -8.11,
    "foreign_platform": -3.2,
    "header": -5.17,
    "depth": -0.66,
    "file_words": 0.34,
    "file_words_top": 1.26,
    "dense": 0.12,
    "file_dense": 0.12,
    "file_dense_top": 0.57,
}

SAME_FILE = 3.0
"""What a result loses for each better one of the same file, up to two."""

CHANCE_SLOPE = 0.312
CHANCE_OFFSET = -2.364
"""A score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers."""
