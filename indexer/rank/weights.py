"""Every weight of the ranking, fitted by benchmarks/fit_ranking.py; do not edit by hand.

The names are those of `features.features`. A missing name counts nothing.
"""

FIELD_WEIGHTS = (5.0, 5.0, 2.0, 1.0)
"""Of symbol, path, doc and body in the BM25 of the first stage."""

WORDS_ONLY = {
    "words": 5.41,
    "file_name": 0.89,
    "file_name_whole": 1.77,
    "folder": 2.85,
    "symbol": 0.24,
    "symbol_whole": 1.31,
    "named": 0.3,
    "named_type": 1.28,
    "named_in_file": -0.31,
    "file_named": 0.56,
    "name_query_named": 2.01,
    "name_query_type": -0.99,
    "is_text": -4.71,
    "is_type": -0.69,
    "length": 0.39,
    "test": -4.74,
    "example": -6.03,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -5.9,
    "foreign_platform": -2.9,
    "header": -4.14,
    "depth": -0.34,
    "file_words": 0.87,
    "file_words_top": 2.51,
}

HYBRID = {
    "words": 5.12,
    "file_name": 1.39,
    "file_name_whole": 1.59,
    "folder": 5.26,
    "symbol": 0.29,
    "symbol_whole": 0.9,
    "named": 0.3,
    "named_type": 1.57,
    "named_in_file": -0.44,
    "file_named": 0.28,
    "name_query_named": 1.95,
    "name_query_type": 0.42,
    "is_text": -5.56,
    "is_type": -0.38,
    "length": 0.41,
    "test": -5.5,
    "example": -6.64,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -6.97,
    "foreign_platform": -3.2,
    "header": -5.01,
    "depth": -0.67,
    "file_words": 0.59,
    "file_words_top": -0.23,
    "dense": 0.44,
    "file_dense": 0.23,
    "file_dense_top": 0.08,
}

SAME_FILE = 3.0
"""What a result loses for each better one of the same file, up to two."""

CHANCE_SLOPE = 0.267
CHANCE_OFFSET = -2.176
"""A score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers."""
