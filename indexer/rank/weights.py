"""Every weight of the ranking, fitted by benchmarks/fit_ranking.py; do not edit by hand.

The names are those of `features.features`. A missing name counts nothing.
"""

FIELD_WEIGHTS = (5.0, 5.0, 2.0, 1.0)
"""Of symbol, path, doc and body in the BM25 of the first stage."""

WORDS_ONLY = {
    "words": 5.37,
    "file_name": 0.68,
    "file_name_whole": 1.92,
    "folder": 3.11,
    "symbol": 0.22,
    "symbol_whole": 1.2,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.96,
    "named_in_file": -0.25,
    "file_named": 0.26,
    "name_query_named": 2.32,
    "name_query_type": -0.24,
    "is_text": -5.33,
    "is_type": -0.33,
    "length": 0.41,
    "test": -4.6,
    "example": -6.03,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -6.1,
    "foreign_platform": -2.91,
    "header": -4.17,
    "depth": -0.32,
    "file_words": 0.86,
    "file_words_top": 2.98,
}

HYBRID = {
    "words": 3.53,
    "file_name": 0.53,
    "file_name_whole": 2.04,
    "folder": 1.9,
    "symbol": -0.69,
    "symbol_whole": 0.85,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 1.03,
    "named_in_file": -0.63,
    "file_named": 0.27,
    "name_query_named": 1.83,
    "name_query_type": -0.26,
    "is_text": -5.66,
    "is_type": 0.13,
    "length": 0.31,
    "test": -5.39,
    "example": -6.26,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -6.16,
    "foreign_platform": -2.91,
    "header": -4.17,
    "depth": -0.11,
    "file_words": 0.81,
    "file_words_top": 2.07,
    "dense": 0.77,
    "file_dense": 0.15,
    "file_dense_top": -0.19,
}

SAME_FILE = 3.0
"""What a result loses for each better one of the same file, up to two."""

CHANCE_SLOPE = 0.286
CHANCE_OFFSET = -2.313
"""A score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers."""
