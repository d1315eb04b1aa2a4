"""What a client can ask for, one file for each feature; `register` of each adds it to a server."""
