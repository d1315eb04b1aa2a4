"""One file for each feature the language server offers."""
