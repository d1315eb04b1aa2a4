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
    "words": 2.06,
    "file_name": 1.53,
    "file_name_whole": 1.55,
    "folder": 4.18,
    "symbol": -1.05,
    "symbol_whole": 0.58,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.79,
    "named_in_file": -0.62,
    "file_named": 0.51,
    "name_query_named": 3.09,
    "name_query_type": 0.82,
    "is_text": -5.99,
    "is_type": 0.04,
    "length": 0.33,
    "test": -5.6,
    "example": -6.57,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -7.65,
    "foreign_platform": -3.25,
    "header": -5.57,
    "depth": -0.62,
    "file_words": 0.79,
    "file_words_top": 1.34,
    "dense": 0.88,
    "file_dense": -0.08,
    "file_dense_top": -0.03,
    "name_query_dense": -0.65,
}

SAME_FILE = 3.0
"""What a result loses for each better one of the same file, up to two."""

CHANCE_SLOPE = 0.302
CHANCE_OFFSET = -2.258
"""A score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers."""
