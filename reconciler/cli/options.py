"""The options that commands share, what they make of them, and the exit statuses."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler import DEFAULT_SPECS
from reconciler.wording import read_duration

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from reconciler.plan import Options
    from reconciler.render import Style
    from reconciler.workflow.endpoint import Endpoint


class WholeSentences(click.Group):
    """A group whose help cuts no description: a long one goes on in the next line, at any width."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a row for each command."""
        rows = [
            (name, self.commands[name].get_short_help_str(sys.maxsize)) for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def complete_address(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The addresses of the specs that the command line names, or of ``specs/``."""
    from click.shell_completion import CompletionItem

    from reconciler.workflow import catalogue

    specs = context.params.get("specs") or _default(context)
    return [CompletionItem(address) for address in catalogue.addresses(Path(str(specs)), incomplete)]


def _default(context: click.Context) -> object:
    """Where the command looks for specs when it is told nothing."""
    defaults = [parameter.default for parameter in context.command.params if parameter.name == "specs"]
    return next((default for default in defaults if isinstance(default, str | Path)), "specs")


def complete_address_or_code(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The same, and every code."""
    from click.shell_completion import CompletionItem

    from reconciler.workflow import catalogue

    codes = [CompletionItem(code) for code in catalogue.codes(incomplete)]
    return [*complete_address(context, parameter, incomplete), *codes]


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    """Done, or nothing to do."""
    ERROR = 1
    """An error, a failure, or something blocking is left."""
    CHANGES = 2
    """``plan --detailed-exitcode``: an action is pending."""
    MISUSED = 2
    """The command line is misused; the same number, as every program says it."""
    REFUSED = 3
    """Refused for safety, with nothing done."""
    INTERRUPTED = 130


F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_SANDBOX_FILE = Path(".codat-sync") / "sandbox.db"


@dataclass(frozen=True, slots=True)
class Output:
    """How to print: the verbosity and colour that were asked for."""

    verbose: int = 0
    quiet: bool = False
    no_color: bool = False

    def style(self, *, err: bool = False) -> Style:
        """The style for stdout, or for stderr: colour on a terminal alone, and never with NO_COLOR."""
        import shutil

        from reconciler.render import Style

        stream = sys.stderr if err else sys.stdout
        is_terminal = stream.isatty()
        return Style(
            color=is_terminal and not self.no_color and _takes_color(),
            verbose=self.verbose,
            quiet=self.quiet,
            width=shutil.get_terminal_size().columns if is_terminal else None,
            encoding=stream.encoding or "utf-8",
            folds=is_terminal and not self.verbose,
        )


def _takes_color() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "unknown")


def _chain(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def _remember_output(context: click.Context, parameter: click.Parameter, value: object) -> None:
    asked = context.ensure_object(dict)
    asked[parameter.name] = value


def specs_argument(function: F) -> F:
    """The directory (or file) of specs."""
    return click.argument("specs", type=click.Path(path_type=Path), default=DEFAULT_SPECS, required=False)(
        function
    )


def output_options(function: F) -> F:
    """``-v``, ``-q`` and ``--no-color``; kept on the context, so that errors are shown alike."""
    return _chain(
        click.option(
            "-v",
            "--verbose",
            count=True,
            expose_value=False,
            callback=_remember_output,
            help="More detail: ids, codes, causes.",
        ),
        click.option(
            "-q",
            "--quiet",
            is_flag=True,
            expose_value=False,
            callback=_remember_output,
            help="Only the closing sentence, and errors.",
        ),
        click.option(
            "--no-color",
            is_flag=True,
            expose_value=False,
            callback=_remember_output,
            help="No colour; NO_COLOR in the environment does the same.",
        ),
    )(function)


def format_option(*formats: str) -> Callable[[F], F]:
    """``--format`` with these choices, the first being the default."""
    return click.option(
        "--format", "format_", type=click.Choice(formats), default=formats[0], show_default=True
    )


def outputs_option(function: F) -> F:
    """``--outputs``: counts, digest and has-changes for the next step of a CI job."""
    return click.option(
        "--outputs",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Append name=value lines to this file, such as $GITHUB_OUTPUT.",
    )(function)


def summary_option(function: F) -> F:
    """``--summary``: a page for people, errors too, for the summary of a CI job."""
    return click.option(
        "--summary",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Append a page of Markdown, errors too, to this file, such as $GITHUB_STEP_SUMMARY.",
    )(function)


def endpoint_options(function: Callable[..., Exit]) -> Callable[..., Exit]:
    """Which Codat (``--sandbox``, ``--sandbox-file``, ``--api-url``), told to the command as ``endpoint``."""

    @wraps(function)
    def command(*, sandbox: bool, sandbox_file: Path | None, api_url: str | None, **others: Any) -> Exit:
        return function(**others, endpoint=_endpoint(sandbox, sandbox_file, api_url))

    return _chain(
        click.option(
            "--sandbox", is_flag=True, help="Use the embedded, simulated Codat: no account, no network."
        ),
        click.option(
            "--sandbox-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help=f"Where the sandbox keeps its state (implies --sandbox). [default: {DEFAULT_SANDBOX_FILE}]",
        ),
        click.option("--api-url", metavar="URL", help="The API's base URL; also CODAT_API_URL."),
    )(command)


def batch_options(function: F) -> F:
    """In which parts an apply proceeds."""
    return _chain(
        click.option(
            "--canary",
            metavar="ADDRESS",
            shell_complete=complete_address,
            help="This company first; the others follow when it passes what verify checks. [rollout.canary]",
        ),
        click.option(
            "--batch",
            type=click.IntRange(min=1),
            metavar="N",
            help="N companies at a time after that. [rollout.batch]",
        ),
    )(function)


def rollout_options(function: F) -> F:
    """How an apply proceeds: in parts, how many at once, and the end-to-end test at the end."""
    return _chain(
        batch_options,
        click.option(
            "--concurrency",
            type=click.IntRange(min=1),
            metavar="N",
            help="Work on N companies at the same time, not as many as the rate needs. [limits.concurrency]",
        ),
        click.option(
            "--wait",
            metavar="[DURATION]",
            is_flag=False,
            flag_value="15m",
            callback=duration,
            help="Verify at the end, and wait for at most so long until all pass (15m).",
        ),
    )(function)


def target_option(function: F) -> F:
    """``--target``: what a command is about."""
    return click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="ADDRESS",
        shell_complete=complete_address,
        help="Only this company or connection (repeatable; globs).",
    )(function)


def duration(_: click.Context, parameter: click.Parameter, value: str | None) -> timedelta | None:
    """The duration that an option's text means, as specs write it: ``90s``, ``15m``, ``2h``, ``30d``."""
    if value is None:
        return None
    try:
        return read_duration(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no duration; write 90s, 15m, 2h or 30d", param=parameter
        ) from None


def selection_options(function: F) -> F:
    """What a plan looks at, and what it may do."""
    return _chain(
        target_option,
        click.option(
            "--reauthorize",
            multiple=True,
            metavar="ADDRESS",
            shell_complete=complete_address,
            help="Send the tokens of this connection although it was linked before (repeatable; globs).",
        ),
        click.option("--retry-syncs", is_flag=True, help="Start syncs again whose last pull failed."),
        click.option(
            "--prune", is_flag=True, help="Delete companies of this workspace that are in no spec any more."
        ),
        click.option(
            "--allow-deletes",
            type=click.IntRange(min=0),
            metavar="N",
            help="Permit N pruned deletes, whatever the guard says.",
        ),
        click.option(
            "--allow-unlinks",
            type=click.IntRange(min=0),
            metavar="N",
            help="Permit N unlinks, whatever the guard says.",
        ),
        click.option(
            "--allow-narrowings",
            type=click.IntRange(min=0),
            metavar="N",
            help="Permit N companies' sync settings to narrow, whatever the guard says.",
        ),
        click.option(
            "--allow-source-account-deletes",
            type=click.IntRange(min=0),
            metavar="N",
            help="Permit N deletes of source accounts, whatever the guard says.",
        ),
    )(function)


def output() -> Output:
    """What the running command was asked for by the output options."""
    context = click.get_current_context(silent=True)
    asked = context.obj if context is not None and isinstance(context.obj, dict) else {}
    return Output(asked.get("verbose", 0), asked.get("quiet", False), asked.get("no_color", False))


def _endpoint(sandbox: bool, sandbox_file: Path | None, api_url: str | None) -> Endpoint:
    from reconciler.workflow.endpoint import Endpoint

    if api_url is not None and (sandbox or sandbox_file is not None):
        raise click.UsageError("--sandbox and --api-url name two different APIs; leave one out")
    file = sandbox_file or (DEFAULT_SANDBOX_FILE if sandbox else None)
    return Endpoint(os.environ, api_url=api_url, sandbox_file=file)


def selection(**options: Any) -> Options:
    """What ``selection_options`` chose."""
    from reconciler.plan import Options

    return Options(**options)
