"""Making the data for an embedder, and the embedder: mine, prune, tune."""
