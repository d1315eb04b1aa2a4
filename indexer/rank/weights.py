"""Every weight of the ranking, fitted by benchmarks/fit_ranking.py; do not edit by hand.

The names are those of `features.features`. A missing name counts nothing.
"""

FIELD_WEIGHTS = (5.0, 5.0, 2.0, 1.0)
"""Of symbol, path, doc and body in the BM25 of the first stage."""

WORDS_ONLY = {
    "words": 8.16,
    "verbatim": 2.0,
    "file_name": 0.98,
    "file_name_whole": 1.47,
    "folder": 3.57,
    "symbol": 0.98,
    "symbol_whole": 1.92,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.8,
    "named_in_file": -0.26,
    "file_named": 0.53,
    "name_query_named": 2.0,
    "name_query_type": 0.22,
    "is_text": -5.97,
    "is_type": -0.09,
    "length": 0.4,
    "test": -5.0,
    "example": -6.49,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -3.14,
    "foreign_platform": -1.54,
    "header": -4.14,
    "depth": -0.32,
    "file_words": 0.6,
    "file_words_top": 2.55,
}

HYBRID = {
    "words": 2.22,
    "verbatim": 2.0,
    "file_name": 1.33,
    "file_name_whole": 1.05,
    "folder": 3.74,
    "symbol": 0.62,
    "symbol_whole": 0.26,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.66,
    "named_in_file": -0.47,
    "file_named": 0.65,
    "name_query_named": 2.78,
    "name_query_type": 1.24,
    "is_text": -6.82,
    "is_type": -0.12,
    "length": 0.2,
    "test": -6.02,
    "example": -6.64,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -2.64,
    "foreign_platform": -1.14,
    "header": -5.54,
    "depth": -0.39,
    "file_words": 0.41,
    "file_words_top": 1.7,
    "dense": 1.02,
    "file_dense": -0.27,
    "file_dense_top": 0.37,
    "name_query_dense": -0.79,
}

SAME_FILE = 3.0
"""What a result loses where a better one of the same file, or with the same text, is before it."""

CHANCE_SLOPE = 0.205
CHANCE_OFFSET = -1.016
"""A score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers."""
