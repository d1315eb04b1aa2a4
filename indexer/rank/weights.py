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
    "name_query_named": 2.37,
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
    "file_words_top": 2.76,
}

HYBRID = {
    "words": 2.31,
    "file_name": 1.12,
    "file_name_whole": 1.61,
    "folder": 4.14,
    "symbol_whole": 0.42,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 0.83,
    "named_in_file": -0.61,
    "file_named": 0.53,
    "name_query_named": 2.49,
    "name_query_type": 0.79,
    "is_text": -6.09,
    "is_type": 0.05,
    "length": 0.32,
    "test": -5.61,
    "example": -6.56,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -7.64,
    "foreign_platform": -3.22,
    "header": -5.52,
    "depth": -0.61,
    "file_words": 0.79,
    "file_words_top": 1.01,
    "dense": 0.87,
    "file_dense": -0.06,
    "file_dense_top": -0.04,
    "name_query_dense": -0.64,
}

SAME_FILE = 3.0
"""What a result loses for each better one of the same file, up to two."""

CHANCE_SLOPE = 0.296
CHANCE_OFFSET = -2.246
"""A score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers."""
