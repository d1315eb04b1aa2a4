"""Every weight of the ranking, fitted by benchmarks/fit_ranking.py; do not edit by hand.

The names are those of `features.features`. A missing name counts nothing.
"""

FIELD_WEIGHTS = (5.0, 5.0, 2.0, 1.0)
"""Of symbol, path, doc and body in the BM25 of the first stage."""

WORDS_ONLY = {
    "words": 5.32,
    "file_name": 0.96,
    "file_name_whole": 1.85,
    "folder": 3.67,
    "symbol": 0.1,
    "symbol_whole": 1.29,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 1.0,
    "named_in_file": -0.25,
    "file_named": 0.34,
    "name_query_named": 2.41,
    "name_query_type": 0.15,
    "is_text": -5.31,
    "is_type": -0.35,
    "length": 0.42,
    "test": -4.61,
    "example": -6.29,
    "vendored": -3.0,
    "generated": -3.0,
    "superseded": -6.16,
    "foreign_platform": -2.95,
    "header": -4.2,
    "depth": -0.38,
    "file_words": 0.82,
    "file_words_top": 2.92,
}

HYBRID = {
    "words": 3.52,
    "file_name": 1.41,
    "file_name_whole": 1.77,
    "folder": 4.78,
    "symbol": -0.71,
    "symbol_whole": 0.79,
    "named": 0.3,
    "named_as_spelled": 0.2,
    "named_type": 1.02,
    "named_in_file": -0.5,
    "file_named": 0.61,
    "name_query_named": 3.16,
    "name_query_type": 0.68,
    "is_text": -5.97,
    "is_type": 0.02,
    "length": 0.34,
    "test": -5.37,
    "example": -6.88,
    "vendored": -3.0,
    "generated": -3.25,
    "superseded": -7.48,
    "foreign_platform": -3.73,
    "header": -5.83,
    "depth": -0.54,
    "file_words": 0.81,
    "file_words_top": 1.51,
    "dense": 0.75,
    "file_dense": -0.07,
    "file_dense_top": -0.09,
    "name_query_dense": -0.72,
}

SAME_FILE = 3.0
"""What a result loses for each better one of the same file, up to two."""

CHANCE_SLOPE = 0.262
CHANCE_OFFSET = -2.135
"""A score s means a chance of 1 / (1 + exp(-(slope * s + offset))) that the file answers."""
