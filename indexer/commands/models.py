"""`codewhere models`: which embedding models there are."""

from __future__ import annotations

from indexer.render import bytes_text, print_json, print_table


def list_models(as_json: bool) -> None:
    """The models that can be used at once, and those that would be fetched from the hub when named."""
    from indexer import embedding

    models = embedding.available_models()
    print(models, as_json, bytes_text, print_json, print_table)
