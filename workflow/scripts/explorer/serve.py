"""Serves the explorer to this machine alone, until it is stopped by Ctrl-C.

The explorer also opens from disk. A server helps where a browser may not read the
disk, or runs on another machine (with a tunnel to this one).
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from doubletake.running.commands import command
from doubletake.running.errors import InputError

ADDRESS = "127.0.0.1"


class Handler(SimpleHTTPRequestHandler):
    """Files of the explorer; nothing is logged, and nothing is kept by the browser."""

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""

    def end_headers(self) -> None:
        """Let the browser ask again after a new run."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of a folder, on the loopback address.

    Args:
        folder: of the explorer.
        port: 0 takes any free one.

    Raises:
        InputError: there is no explorer, or the port is taken.
    """
    if not (folder / "index.html").is_file():
        raise InputError(f"{folder} holds no explorer. Run: snakemake explorer")
    try:
        handler = partial(Handler, directory=str(folder))
        return ThreadingHTTPServer((ADDRESS, port), handler)
    except OSError as error:
        raise InputError(f"cannot use port {port}: {error.strerror}") from error


def main(arguments: Sequence[str]) -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="results/explorer")
    parser.add_argument("--port", type=int, default=8000)
    known = parser.parse_args(arguments)
    with server(known.folder, known.port) as serving:
        print(f"http://{ADDRESS}:{serving.server_port}/ (Ctrl-C ends it)", flush=True)
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    with command():
        main(sys.argv[1:])
