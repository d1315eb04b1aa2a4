from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from indexer.cli import app
from indexer.embedding import load_embedder
from indexer.embedding.export import export
from indexer.errors import UserError
from tests.test_embedding import TEXTS


def test_an_exported_model_gives_the_same_vectors_in_sentence_transformers(model_folder, tmp_path):
    from sentence_transformers import SentenceTransformer

    target = tmp_path / "exported"
    result = CliRunner().invoke(app, ["models", "export", str(model_folder), str(target)])
    assert result.exit_code == 0, result.output
    theirs = SentenceTransformer(str(target), device="cpu")
    ours = load_embedder(str(model_folder), device="cpu", dtype="fp32")
    card = (target / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---") and "model.encode_query" in card and f"# {ours.spec.name}" in card
    with pytest.raises(UserError, match="is for sentence-transformers"):
        load_embedder(str(target))
    texts = [*TEXTS, "word " * 300]
    np.testing.assert_allclose(theirs.encode_document(texts), ours.encode_code(texts), atol=1e-4)
    np.testing.assert_allclose(theirs.encode_query(texts), ours.encode_queries(texts), atol=1e-4)


def test_an_export_overwrites_nothing_and_says_what_cannot_be_exported(model_folder, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        export(str(model_folder), tmp_path)
    with pytest.raises(UserError, match="not empty"):
        export(str(model_folder), tmp_path / "file")
    with pytest.raises(UserError, match="no model"):
        export("no-such-model", tmp_path / "new")
    assert (tmp_path / "file").read_text() == "mine"
