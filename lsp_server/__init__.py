"""Language server of codewhere: the only package that imports pygls or lsprotocol."""
