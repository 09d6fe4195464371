"""A server whose certificate is not trusted gets no request, and so never the key."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from installed import company, connection, run, write_specs

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl, which makes the certificate, is missing")


@pytest.fixture
def asked() -> list[str]:
    """The requests that reached the server."""
    return []


@pytest.fixture
def self_signed(tmp_path: Path, asked: list[str]) -> Iterator[tuple[str, Path]]:
    """The URL of a server on loopback, and the certificate that it signed itself."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([str(OPENSSL), *made, *names, *files], check=True, capture_output=True)

    class Recording(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of handshakes that fail."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Quiet(("127.0.0.1", 0), Recording) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"https://localhost:{server.server_address[1]}", certificate
        server.shutdown()
        thread.join(timeout=10)


@needs_openssl
def test_a_certificate_that_is_not_trusted_is_told_at_once_with_what_to_do(
    tmp_path: Path, self_signed: tuple[str, Path], asked: list[str]
) -> None:
    url, _ = self_signed
    specs = write_specs(tmp_path, [company("acme", connection("books", "xero", "TOKEN"))])
    done = run("plan", specs, "-v", cwd=tmp_path, env={"CODAT_API_URL": url, "CODAT_API_KEY": "CANARY"})
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"GET /integrations: cannot reach {url}: the TLS certificate is not trusted (self-signed certificate)"
        "; SSL_CERT_FILE may name the certificates to trust; check the machine's date too [unreachable]"
    )
    assert "CANARY" not in done.stderr
    assert asked == []


@needs_openssl
def test_a_certificate_that_the_environment_names_is_trusted(
    tmp_path: Path, self_signed: tuple[str, Path], asked: list[str]
) -> None:
    url, certificate = self_signed
    specs = write_specs(tmp_path, [company("acme", connection("books", "xero", "TOKEN"))])
    env = {"CODAT_API_URL": url, "CODAT_API_KEY": "CANARY", "SSL_CERT_FILE": str(certificate)}
    done = run("plan", specs, "-v", cwd=tmp_path, env=env)
    assert (done.returncode, "[unauthorized]" in done.stderr) == (1, True), done.stderr
    assert len(asked) == 1
