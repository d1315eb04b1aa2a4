"""Ranking: from a query and the candidates of two searches to ordered, explained results."""

from indexer.rank.candidates import Candidate, Statistics
from indexer.rank.order import Compare, rank
from indexer.rank.query import Query, parse_query, with_english
from indexer.rank.weights import FIELD_WEIGHTS

__all__ = [
    "FIELD_WEIGHTS",
    "Candidate",
    "Compare",
    "Query",
    "Statistics",
    "parse_query",
    "rank",
    "with_english",
]
