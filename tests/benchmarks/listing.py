"""A server on the loopback that answers what a plan asks, from memory: it costs the measured process nothing.

    python listing.py COMPANIES STALE UNKNOWN_PLATFORMS

Prints its address, and serves until its standard input ends.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

from worlds import World, as_json

ARGUMENTS: Final = [int(argument) for argument in sys.argv[1:4]]
WORLD: Final = World(*ARGUMENTS)
ROWS: Final = {"/companies": as_json(WORLD.rows()), "/integrations": as_json(iter(WORLD.integrations()))}


class Listing(BaseHTTPRequestHandler):
    """Pages of companies and of integrations; the profile."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        rows = ROWS.get(url.path)
        body = b'{"name":"bench"}' if rows is None else page(rows, url.path, parse_qs(url.query))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def page(rows: list[bytes], path: str, query: dict[str, list[str]]) -> bytes:
    """One page, with a link to the next one."""
    number, size = (int(query.get(name, ["100"])[0]) for name in ("page", "pageSize"))
    last = number * size
    links = {"self": {"href": path}, "current": {"href": path}}
    if last < len(rows):
        links["next"] = {"href": f"{path}?page={number + 1}&pageSize={size}"}
    head = {"pageNumber": number, "pageSize": size, "totalResults": len(rows), "_links": links}
    return json.dumps(head)[:-1].encode() + b', "results": [' + b",".join(rows[last - size : last]) + b"]}"


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
