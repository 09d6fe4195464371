"""The sandbox on a port."""

from __future__ import annotations

import builtins
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from loopback import NO_CERTIFICATES, asked, serving
from sandbox_api import HEADERS

from reconciler.sandbox import Sandbox, SandboxError, serve
from reconciler.sandbox.serving import listen

SERVER = """
import signal, sys
from reconciler.sandbox import serve
# A job in the background inherits that the signal is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    serve(sys.argv[1], 0, on_ready=lambda url: print(url, flush=True))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_it_tells_its_url_and_prints_nothing_else(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path / "s.db")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:")
    made = asked("POST", f"{url}/companies", json={"name": "Acme"}, headers=HEADERS)
    assert made.status_code == 200
    assert len(made.headers.get_list("Date")) == 1
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert process.stdout.read() == ""
    process.stdout.close()


def test_without_uvicorn_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = builtins.__import__

    def without_uvicorn(name: str, *rest: Any) -> Any:
        if name.startswith("uvicorn"):
            raise ImportError(name)
        return genuine(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_uvicorn)
    with pytest.raises(SandboxError, match=r"pip install 'codat-sync\[sandbox\]'"):
        serve(tmp_path / "s.db", 0)


def test_a_port_that_is_taken_is_a_clear_error(tmp_path: Path) -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=f"cannot listen on 127.0.0.1 port {port}"):
            serve(tmp_path / "s.db", port)


def test_importing_the_sandbox_needs_no_uvicorn() -> None:
    code = "import sys, reconciler.sandbox; sys.exit('uvicorn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_test_may_ask_the_sandbox_while_it_serves(sandbox: Sandbox) -> None:
    with (
        serving(sandbox) as url,
        httpx.Client(base_url=url, headers=HEADERS, verify=NO_CERTIFICATES) as client,
    ):
        client.post("/companies", json={"name": "Acme"})
        assert [company["name"] for company in sandbox.state()["companies"]] == ["Acme"]
        sandbox.set(companyLimit=1)
        assert client.post("/companies", json={"name": "Bravo"}).status_code == 402


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_it_answers_to_the_names_of_this_machine(host: str, sandbox: Sandbox) -> None:
    with serving(sandbox) as url:
        named = f"{host}:{httpx.URL(url).port}"
        own = {**HEADERS, "Host": named, "Origin": f"http://{named}"}
        assert asked("GET", f"{url}/companies", headers={**HEADERS, "Host": named}).status_code == 200
        assert asked("POST", f"{url}/companies", json={"name": "A"}, headers=own).status_code == 200
        form = {**own, "Origin": "null", "Sec-Fetch-Site": "same-origin"}
        assert asked("POST", f"{url}/companies", json={"name": "B"}, headers=form).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost.evil.example"}, 421),
        ({"Host": "localhost@evil.example"}, 421),
        ({"Host": "10.0.0.1"}, 421),
        ({"Host": "["}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_web_page_from_elsewhere_can_do_nothing_with_it(
    headers: dict[str, str], status: int, sandbox: Sandbox
) -> None:
    with serving(sandbox) as url:
        for path in ("/companies", "/_sandbox/reset"):
            assert (
                asked("POST", url + path, json={"name": "A"}, headers={**HEADERS, **headers}).status_code
                == status
            )
    assert sandbox.journal() == []
