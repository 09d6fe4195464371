"""Secrets from programs: stand-ins on PATH say what they were asked, and nothing else of them is shown."""

import os
import select
import sys
import time
import traceback
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.diagnostics import Span
from reconciler.secret_refs import SecretCommands, SecretRef, locator_of
from reconciler.secrets import Resolver, SecretCode, SecretError

CANARY = "canary-9e2a"
PLACE = Span("specs/acme.yaml", 9, 24)
SECONDS = 20


@pytest.fixture
def programs(tmp_path):
    path = tmp_path / "bin"
    path.mkdir()
    return path


def stub(programs: Path, name: str, script: str) -> None:
    """A program of this name that runs Python; ``argv`` and ``environ`` are at hand."""
    path = programs / name
    path.write_text(
        f"#!{sys.executable} -I\nimport os, sys\nargv, environ = sys.argv[1:], os.environ\n{script}\n"
    )
    path.chmod(0o755)


def resolver(
    programs: Path, timeout: float = SECONDS, environ: dict[str, str] | None = None, **commands
) -> Resolver:
    permitted = SecretCommands({k: tuple(v) for k, v in commands.items()}, timedelta(seconds=timeout))
    return Resolver(
        programs.parent, {"PATH": str(programs), **(environ or {})}, commands=permitted, providers=False
    )


def ref(text: str) -> SecretRef:
    scheme, _, locator = text.partition(":")
    return SecretRef(locator_of(scheme, locator), PLACE)


RECIPES = {
    "vault": (
        ["vault", "kv", "get", "-field=value", "{ref}"],
        "vault:secret/codat/acme/accessToken",
        ["kv", "get", "-field=value", "secret/codat/acme/accessToken"],
    ),
    "sops": (
        ["sops", "decrypt", "--extract", "{ref}", "secrets/tokens.enc.yaml"],
        'sops:["acme"]["accessToken"]',
        ["decrypt", "--extract", '["acme"]["accessToken"]', "secrets/tokens.enc.yaml"],
    ),
    "aws": (
        [
            "aws",
            "secretsmanager",
            "get-secret-value",
            "--query=SecretString",
            "--output=text",
            "--secret-id={ref}",
        ],
        "aws:codat/acme/accessToken",
        [
            "secretsmanager",
            "get-secret-value",
            "--query=SecretString",
            "--output=text",
            "--secret-id=codat/acme/accessToken",
        ],
    ),
    "gcloud": (
        ["gcloud", "secrets", "versions", "access", "latest", "--secret={ref}"],
        "gcloud:acme-access-token",
        ["secrets", "versions", "access", "latest", "--secret=acme-access-token"],
    ),
    "op": (
        ["op", "read", "--no-newline", "op://{ref}"],
        "op:Codat/acme/access token",
        ["read", "--no-newline", "op://Codat/acme/access token"],
    ),
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_asks_its_program_for_just_this(programs, name):
    command, reference, argv = RECIPES[name]
    stub(programs, name, f"print({CANARY!r} if argv == {argv!r} else argv)")
    assert resolver(programs, **{name: command})(ref(reference)).reveal() == CANARY


@pytest.mark.parametrize("name", RECIPES)
def test_the_page_has_the_recipe_that_is_tested(name):
    page = (Path(__file__).parents[2] / "docs/secrets.md").read_text(encoding="utf-8")
    command, reference, _ = RECIPES[name]
    assert f"${{{reference}}}" in page
    line = next(line for line in page.splitlines() if line.strip().startswith(f"{name}: ["))
    items = line.partition("[")[2].rpartition("]")[0].split(", ")
    assert [item.strip('"') for item in items] == command


def test_nothing_is_a_shell_s_to_read(programs):
    stub(programs, "show", "print('|'.join(argv))")
    locator = "a b;$(id)|`id`>x'\"*"
    found = resolver(programs, show=["show", "<{ref}>", "$HOME"])(ref(f"show:{locator}"))
    assert found.reveal() == f"<{locator}>|$HOME"


@pytest.mark.parametrize(
    ("printed", "value"), [("x\n", "x"), ("x\r\n", "x"), ("x\n\n", "x\n"), ("x", "x"), (" x ", " x ")]
)
def test_one_newline_is_dropped(programs, printed, value):
    stub(programs, "show", f"sys.stdout.write({printed!r})")
    assert resolver(programs, show=["show", "{ref}"])(ref("show:a")).reveal() == value


def test_a_command_runs_in_the_root_without_our_key_and_without_a_terminal(programs):
    stub(programs, "show", "print(os.getcwd(), sorted(environ), repr(sys.stdin.read()))")
    environ = {"CODAT_API_KEY": CANARY, "codat_auth_header": CANARY, "VAULT_TOKEN": "x"}
    shown = resolver(programs, environ=environ, show=["show", "{ref}"])(ref("show:a")).reveal()
    directory, *names, stdin = shown.split(" ")
    assert directory == os.path.realpath(programs.parent)
    assert "VAULT_TOKEN" in "".join(names)
    assert "CODAT" not in "".join(names).upper()
    assert stdin == "''"


BAD = [
    (
        "failing",
        f"print({CANARY!r}); sys.stderr.write({CANARY!r}); sys.exit(3)",
        SecretCode.COMMAND,
        "status 3",
    ),
    ("killed", "os.kill(os.getpid(), 9)", SecretCode.COMMAND, "failing ended with status -9"),
    ("empty", "print()", SecretCode.MISSING, "failing printed nothing"),
    (
        "bytes",
        f"sys.stdout.buffer.write(b'\\xe9' + {CANARY!r}.encode())",
        SecretCode.NOT_TEXT,
        "no UTF-8 text",
    ),
    ("endless", f"print({CANARY!r} * 200_000)", SecretCode.COMMAND, "printed more than a secret"),
]


@pytest.mark.parametrize(("script", "code", "problem"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_command_that_fails_is_named_and_nothing_it_said_is_shown(programs, capfd, script, code, problem):
    stub(programs, "failing", script)
    with pytest.raises(SecretError) as caught:
        resolver(programs, failing=["failing", "{ref}"])(ref("failing:kv/acme"))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    assert str(diagnostic).startswith("specs/acme.yaml:9:24: ${failing:kv/acme}: ")
    assert problem in diagnostic.summary
    chain, texts = caught.value, list(capfd.readouterr())
    while chain is not None:
        texts += [repr(chain), repr(vars(chain)), "".join(traceback.format_exception(chain))]
        chain = chain.__context__
    assert CANARY not in "".join(texts)


def test_a_program_that_is_not_there_is_named(programs):
    with pytest.raises(SecretError, match="vault cannot be run: no such file or directory; install it"):
        resolver(programs, vault=["vault", "{ref}"])(ref("vault:a"))


def test_a_command_that_does_not_end_is_ended_with_all_that_it_started(programs):
    (programs.parent / "pids").write_text("")
    script = "import subprocess, time\n"
    script += "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    script += "open('pids', 'w').write(str(p.pid))\ntime.sleep(600)"
    stub(programs, "slow", script)
    began = time.monotonic()
    with pytest.raises(SecretError, match=r"slow did not end within 1\.5 s"):
        resolver(programs, timeout=1.5, slow=["slow", "{ref}"])(ref("slow:a"))
    assert time.monotonic() - began < SECONDS
    assert has_ended((programs.parent / "pids").read_text())


def has_ended(pid: str) -> bool:
    """Whether a process is gone; a killed one needs a moment for it."""
    try:
        descriptor = os.pidfd_open(int(pid)) if pid else None
    except ProcessLookupError:
        return True
    if descriptor is None:
        return True
    try:
        return bool(select.select([descriptor], [], [], SECONDS)[0])
    finally:
        os.close(descriptor)


def test_a_command_that_prints_without_end_is_ended_at_once(programs):
    script = "open('pids', 'w').write(str(os.getpid()))\nwhile True: os.write(1, b'x' * 65536)"
    stub(programs, "flood", script)
    with pytest.raises(SecretError, match="flood printed more than a secret"):
        resolver(programs, flood=["flood", "{ref}"])(ref("flood:a"))
    assert has_ended((programs.parent / "pids").read_text())


def test_a_command_that_closes_its_output_and_goes_on_is_ended_too(programs):
    stub(programs, "quiet", "import time\nos.write(1, b'x')\nos.close(1)\ntime.sleep(600)")
    with pytest.raises(SecretError, match=r"quiet did not end within 0\.5 s"):
        resolver(programs, timeout=0.5, quiet=["quiet", "{ref}"])(ref("quiet:a"))


def test_a_command_that_is_not_permitted_is_not_run(programs):
    stub(programs, "vault", "open('ran', 'w')")
    with pytest.raises(SecretError, match="known here are env, file, table, show"):
        resolver(programs, show=["show", "{ref}"])(ref("vault:a"))
    assert not (programs.parent / "ran").exists()


def test_check_runs_each_distinct_reference_once_and_lists_all_that_fail(programs):
    stub(programs, "show", "open(f'ran-{os.getpid()}', 'w')\nprint('x')\nsys.exit(argv[0] != 'good')")
    resolve = resolver(programs, show=["show", "{ref}"])
    refs = [ref(f"show:{name}") for name in ("good", "bad", "worse", "good", "bad")] + [ref("env:NONE")]
    assert [
        diagnostic.summary.partition("}")[0]
        for diagnostic in resolve.check((each, "acme/books t") for each in refs)
    ] == [
        "${show:bad",
        "${show:worse",
        "${env:NONE",
    ]
    assert len(list(programs.parent.glob("ran-*"))) == 3


def test_a_secret_is_asked_for_again_at_each_use(programs):
    stub(programs, "show", "print(open('now').read())")
    resolve = resolver(programs, show=["show", "{ref}"])
    (programs.parent / "now").write_text("first")
    assert resolve.check([(ref("show:a"), "acme/books t")]) == ()
    (programs.parent / "now").write_text("rotated")
    assert resolve(ref("show:a")).reveal() == "rotated"
