"""The report in a real browser: our script filters, nobody else's runs, and no request leaves."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from render_samples import full_plan

from reconciler.render import plan_html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --virtual-time-budget=2000 --dump-dom"
)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed to open the report in")


@pytest.fixture
def loopback():
    """A server's address, and the paths that anyone asked it for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def opened(page, tmp_path):
    """The document after a browser has opened the page."""
    file = tmp_path / "report.html"
    file.write_text(page, "utf-8")
    command = [CHROMIUM, *QUIET.split(), f"--user-data-dir={tmp_path / 'profile'}", file.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def title(dom):
    return re.search(r"<title>([^<]*)</title>", dom).group(1)


def attack(url):
    script = f"document.title='owned';fetch('{url}/y')"
    return f"</title></style></script><img src='{url}/x'><script>{script}</script>"


def test_our_script_runs_and_nobody_elses_does(tmp_path, loopback):
    url, asked = loopback
    text = attack(url)
    dom = opened(plan_html(full_plan(text).shown(), notes=[text], refusals=[text]), tmp_path)
    assert re.search(r'<output id="shown" role="status">\d+ of \d+ companies shown</output>', dom)
    assert title(dom).startswith("Plan for prod")
    assert asked == []


@pytest.mark.parametrize(
    "guarded", [True, False], ids=["with the policy", "without it, to see that this test sees"]
)
def test_what_slipped_through_would_still_not_run_or_load(tmp_path, loopback, guarded):
    url, asked = loopback
    page = plan_html(full_plan().shown()).replace("</main>", f"{attack(url)}</main>")
    dom = opened(page if guarded else POLICY.sub("", page), tmp_path)
    assert (title(dom) == "owned") is not guarded
    assert (asked == []) is guarded


EVERY_CARD = ["acme", "alder", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "old-key"]
ASKED = {
    "type('stores')": ["acme", "bravo"],
    "type('STORES eu')": ["bravo"],
    "only('company.delete')": ["charlie"],
    "only('blocking')": ["echo"],
    "type('no such thing')": [],
    "type('no such thing'); document.querySelector('.panel a').click()": EVERY_CARD,
    "type('stores'); document.getElementById('all').click()": EVERY_CARD,
}


def test_the_filter_shows_what_was_asked_for(tmp_path):
    driver = f"""<script>
    const form = document.getElementById('filter');
    const type = (text) => {{ form.elements.text.value = text; form.dispatchEvent(new Event('input')); }};
    const only = (kind) => {{
      for (const box of form.elements.kind) box.checked = box.value === kind;
      form.dispatchEvent(new Event('input'));
    }};
    const names = () => [...document.querySelectorAll('.card:not([hidden]) h3')].map((h) => h.textContent);
    const seen = {json.dumps(list(ASKED))}.map((act) => {{
      document.getElementById('all').click(); eval(act); return names();
    }});
    document.title = JSON.stringify(seen);
    </script>"""
    page = POLICY.sub("", plan_html(full_plan().shown())).replace("</body>", f"{driver}</body>")
    assert dict(zip(ASKED, json.loads(title(opened(page, tmp_path))), strict=True)) == ASKED
