"""docs/reference/ is made from the program itself; ``pytest --update-golden`` writes it anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Final

import click
import pytest

from reconciler.cli import codat_sync
from reconciler.cli.options import Exit
from reconciler.plan import CLASS_OF, AttentionCode
from reconciler.workflow.catalogue import catalogue

ROOT: Final = Path(__file__).parent.parent
REFERENCE: Final = ROOT / "docs" / "reference"
NOTE: Final = "<!-- Made by tests/test_reference_pages.py; pytest --update-golden writes it anew. -->\n"

STATUSES: Final = {
    Exit.OK: "done, or nothing to do",
    Exit.ERROR: "an error, a failure, or something blocking is left",
    Exit.CHANGES: "changes are pending (`plan --detailed-exitcode`), or the command line is misused",
    Exit.REFUSED: "refused for safety, with nothing done",
    Exit.INTERRUPTED: "interrupted",
}
VARIABLES: Final = {
    "CODAT_API_KEY": "your API key, as it is; codat-sync encodes it",
    "CODAT_AUTH_HEADER": "instead of the key: the ready-made header, `Basic …`",
    "CODAT_API_URL": "another base URL, as `--api-url`",
    "CI": "`true` answers the question of `apply` with yes",
    "NO_COLOR": "anything: no colour",
    "HTTPS_PROXY": "the proxy that requests go through",
    "NO_PROXY": "the hosts that they go to directly",
    "SSL_CERT_FILE": "the certificates to trust, in place of the bundled ones",
    "SSL_CERT_DIR": "a directory of them",
}


COMMANDS: Final = """
SPECS is a directory or a file; the default is `specs/`. An ADDRESS is a company's key, or
`company/connection`. Every command also has `-h` and `--help`.
"""
AFTER_STATUSES: Final = """
They are the same for every command and format. Attention alone never changes the status of `plan`. `apply`
ends with 1 while *blocking* attention remains, because what was asked for is not done.

A plan with nothing to do because all that is left is blocked ends with 0, with `--detailed-exitcode` too. A
job that must notice it looks at `attention-blocking` of `--outputs`, or at the class of each `attention` in
the plan's JSON.
"""
ATTENTION: Final = """
Attention is what no request can settle. *Blocking*: what you asked for cannot be done until somebody decides.
*Waiting*: somebody else acts next, or time does. *Info*: worth knowing.
"""
AFTER_ATTENTION: Final = """
[Diagnostics](../diagnostics.md) has an example of each, and every other code.
"""
AFTER_VARIABLES: Final = """
Specs name the variables of their own secrets, `${env:NAME}`. They may not name a `CODAT_*` variable.

## Shell completion

```sh
eval "$(_CODAT_SYNC_COMPLETE=bash_source codat-sync)"      # bash, in ~/.bashrc
eval "$(_CODAT_SYNC_COMPLETE=zsh_source codat-sync)"       # zsh, in ~/.zshrc
_CODAT_SYNC_COMPLETE=fish_source codat-sync | source       # fish, in ~/.config/fish/config.fish
```
"""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command by its full name, a group's own after one another."""
    for name, command in codat_sync.commands.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", sub) for inner, sub in command.commands.items())
        else:
            yield name, command


def safe(text: str) -> str:
    """Help as markdown shows it: as it was written."""
    return re.sub(r"([|*_<>\[\]])", r"\\\1", escape(" ".join(text.split()), quote=False).replace("&lt;", "<"))


def options(context: click.Context, command: click.Command) -> Iterator[str]:
    yield "| option | does |\n| --- | --- |\n"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option) and "--help" not in record[0]:
            flags, text = (" ".join(part.split()) for part in record)
            yield f"| `{flags.replace('|', chr(92) + '|')}` | {safe(text)} |\n"


def command_section(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"codat-sync {name}")
    yield f"\n## {name}\n\n"
    yield f"{safe((command.help or '').split(chr(12))[0])}\n\n"
    yield f"```text\n{' '.join(command.get_usage(context).removeprefix('Usage: ').split())}\n```\n\n"
    yield from options(context, command)
    examples = re.findall(r"^\s*(codat-sync .*)$", command.epilog or "", re.MULTILINE)
    if examples:
        yield (
            "\n```sh\n"
            + "\n".join(re.sub(r"\s{2,}\(?(\S.*?)\)?$", r"  # \1", line) for line in examples)
            + "\n```\n"
        )


def commands_page() -> str:
    names = {name: f"[`{name}`](#{name.replace(' ', '-')})" for name, _ in commands()}
    lines = "".join(f"- {names[name]}: {safe(short(command))}\n" for name, command in commands())
    sections = "".join(part for name, command in commands() for part in command_section(name, command))
    return f"# Commands\n\n{NOTE}{COMMANDS}\n{lines}{sections}"


def short(command: click.Command) -> str:
    """The first sentence of a command's help."""
    text = re.sub(r" \(default: [^)]*\)", "", " ".join((command.help or "").split()))
    return re.split(r"[.;:] |\.$", text)[0]


def statuses_page() -> str:
    rows = "".join(f"| {int(status)} | {means} |\n" for status, means in STATUSES.items())
    return f"# Exit statuses\n\n{NOTE}\n| status | means |\n| --- | --- |\n{rows}{AFTER_STATUSES}"


def attention_page() -> str:
    entries = {entry.code: entry for entry in catalogue() if entry.group == "attention"}
    rows = "".join(
        f"| `{code.value}` | {CLASS_OF[code].value} | {safe(entries[code.value].summary)} "
        f"| {safe(entries[code.value].remedy)} |\n"
        for code in AttentionCode
    )
    head = "| code | class | means | what to do |\n| --- | --- | --- | --- |\n"
    return f"# Attention codes\n\n{NOTE}{ATTENTION}\n{head}{rows}{AFTER_ATTENTION}"


def environment_page() -> str:
    rows = "".join(f"| `{name}` | {holds} |\n" for name, holds in VARIABLES.items())
    return f"# Environment\n\n{NOTE}\n| variable | holds |\n| --- | --- |\n{rows}{AFTER_VARIABLES}"


MADE: Final[dict[str, Callable[[], str]]] = {
    "commands": commands_page,
    "exit-statuses": statuses_page,
    "attention": attention_page,
    "environment": environment_page,
}


@pytest.mark.parametrize("name", MADE)
def test_a_reference_page_says_what_the_program_does(name: str, request: pytest.FixtureRequest) -> None:
    page = REFERENCE / f"{name}.md"
    if request.config.getoption("--update-golden"):
        REFERENCE.mkdir(exist_ok=True)
        page.write_text(MADE[name](), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == MADE[name](), "run pytest --update-golden and review the page"


def test_every_page_of_the_reference_is_made() -> None:
    assert {page.stem for page in REFERENCE.glob("*.md")} == set(MADE)


def test_every_exit_status_is_on_its_page() -> None:
    assert list(STATUSES) == list(Exit)


def test_every_variable_of_ours_that_the_program_reads_is_on_its_page() -> None:
    read = {
        name
        for path in (ROOT / "reconciler").rglob("*.py")
        for name in re.findall(r"\b(CODAT_[A-Z_]*[A-Z]|NO_COLOR)\b", path.read_text(encoding="utf-8"))
    }
    assert read <= {*VARIABLES, "CODAT_SYNC_EXPLORE"}
