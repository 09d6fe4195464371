"""Streams that are closed, broken, full or narrow: one end for each command, and no record lost."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
from installed import COMMAND, company, connection, environment, write_specs

from reconciler.cli import run
from reconciler.cli.streams import prepare

ACME = company(
    "acme", connection("books", "xero", "ACME_TOKEN"), name="Acme", fields="tags: {where: 日本語テスト}"
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_specs(tmp_path, [ACME])
    return tmp_path


def shell(directory: Path, line: str) -> tuple[int, str, str]:
    """The status of the command in ``line``, and what reached stdout and stderr."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=directory,
        env=environment(COMMAND=str(COMMAND), ACME_TOKEN="x", PYTHONWARNINGS="ignore"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "this is a bug" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("streams", "where"),
    [
        (">&-", "err"),
        pytest.param("2>&-", "out", marks=pytest.mark.slow),
        pytest.param(">/dev/full", "err", marks=pytest.mark.slow),
        ("2>/dev/full", "out"),
        pytest.param("<&- >&- 2>&-", "", marks=pytest.mark.slow),
    ],
)
def test_an_apply_ends_as_it_went_and_tells_what_it_did_on_the_stream_that_is_left(
    streams: str, where: str, directory: Path
) -> None:
    status, out, err = shell(directory, f"$COMMAND apply --sandbox --yes {streams}")

    assert status == 0, err
    assert [name for name, text in (("out", out), ("err", err)) if "Applied: 4 done" in text] == [
        name for name in (where,) if name
    ]


def test_an_apply_whose_reader_has_gone_tells_what_it_did_on_stderr(directory: Path) -> None:
    # The reader is gone before the command begins.
    status, _, err = shell(directory, "{ sleep 0.01 & wait; $COMMAND apply --sandbox --yes; } | true")

    assert status == 0
    assert "Applied: 4 done" in err


def test_an_apply_that_nobody_can_answer_is_refused(directory: Path) -> None:
    status, _, err = shell(directory, "$COMMAND apply --sandbox <&-")

    assert status == 3
    assert "not confirmed" in err


@pytest.mark.parametrize(
    ("command", "streams", "status", "told"),
    [
        ("validate", ">&-", 1, "the output cannot be written: Bad file descriptor"),
        ("validate", ">/dev/full", 1, "the output cannot be written: No space left"),
        pytest.param(
            "--help", ">&-", 1, "the output cannot be written: Bad file descriptor", marks=pytest.mark.slow
        ),
        pytest.param("validate", "2>&-", 0, "", marks=pytest.mark.slow),
        ("validate", "<&- 2>/dev/full", 0, ""),
        pytest.param("validate nowhere", "2>&-", 1, "", marks=pytest.mark.slow),
        ("nonsense", "<&- >&- 2>&-", 2, ""),
    ],
)
def test_a_command_that_answers_fails_where_its_answer_cannot_be_written(
    command: str, streams: str, status: int, told: str, directory: Path
) -> None:
    ended, _, err = shell(directory, f"$COMMAND {command} {streams}")

    assert (ended, told in err) == (status, True), err


def test_a_reader_that_has_gone_is_passed_over_in_silence(directory: Path) -> None:
    assert shell(directory, "{ sleep 0.01 & wait; $COMMAND validate; } | true") == (1, "", "")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize("format_", ["text", "json", "markdown", "html"])
def test_every_format_is_written_in_every_encoding(
    format_: str, encoding: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(directory)
    monkeypatch.setenv("ACME_TOKEN", "x")
    assert run(["apply", "--sandbox", "--yes"]) == 0
    write_specs(directory, [ACME.replace("日本語テスト", "日本")])
    raw, err = BytesIO(), TextIOWrapper(BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(raw, encoding=encoding))
    monkeypatch.setattr(sys, "stdin", StringIO())
    monkeypatch.setattr(sys, "stderr", err)
    prepare()

    assert run(["plan", "--sandbox", "-v", "--format", format_]) == 0

    if format_ == "html":
        assert b"&#26085;" in raw.getvalue()
        assert raw.getvalue().isascii()
    elif encoding != "ascii":
        assert b"\\u65e5" in raw.getvalue()


def test_a_directory_that_is_gone_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    for command in (["validate"], ["plan", "--sandbox"], ["show", str(tmp_path / "plan.json")]):
        assert run(command) == 1
        err = capsys.readouterr().err
        assert "the current directory is not there any more" in err or "cannot be read" in err


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("HTTPS_PROXY", "http://127.0.0.1:99999", "the proxy that the environment names cannot be used"),
        ("HTTPS_PROXY", "http://127.0.0.1:-1", "the proxy that the environment names cannot be used"),
        ("HTTPS_PROXY", "http://127.0.0.1:0", "the proxy that the environment names cannot be used"),
        ("HTTPS_PROXY", "http://:8080", "the proxy that the environment names cannot be used"),
        ("SSLKEYLOGFILE", "/nowhere/keys", "the file that SSLKEYLOGFILE names cannot be written"),
        ("CODAT_API_URL", "https://api.codat.io:99999", "the API's URL is not an https URL"),
    ],
)
def test_surroundings_that_cannot_work_are_named(
    name: str,
    value: str,
    told: str,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(directory)
    monkeypatch.setenv("CODAT_API_KEY", "canary")
    monkeypatch.setenv(name, value)

    assert run(["plan"]) in (1, 2)
    assert told in capsys.readouterr().err
