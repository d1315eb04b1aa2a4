"""The command `codewhere lsp`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from indexer.errors import UserError
from lsp_server.server import create_server
from lsp_server.transport import serve_stdio, serve_tcp


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until the client ends it; the status of the process is 0 after a proper shutdown, else 1."""
    options = _parse_arguments(arguments)
    logging.basicConfig(
        stream=sys.stderr, level=options.log_level, format="%(levelname)s %(name)s: %(message)s"
    )
    try:
        if options.tcp:
            serve_tcp(create_server, options.host, options.port, allow_remote=options.allow_remote)
        serve_stdio(create_server())
    except UserError as error:
        print(error, file=sys.stderr)  # noqa: T201 - stdout belongs to the protocol, stderr to the person
        return 2


def _parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("codewhere lsp", description="The language server of codewhere.")
    parser.add_argument("--stdio", action="store_true", help="talk over stdin and stdout (the default)")
    parser.add_argument("--tcp", action="store_true", help="listen for one client; needs a token, see below")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=9257, help="port; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--allow-remote", action="store_true", help="listen on an address other machines reach"
    )
    parser.add_argument(
        "--log-level",
        default="WARNING",
        choices=["DEBUG", "INFO", "WARNING", "ERROR"],
        help="least level of what is written to stderr (default: %(default)s)",
    )
    parser.epilog = (
        "With --tcp the client sends the token as initializationOptions.token. "
        "It is taken from CODEWHERE_TOKEN; without that a new one is printed on stderr."
    )
    return parser.parse_args(arguments)
