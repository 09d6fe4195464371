"""The command line: parse, call one workflow, hand its result to a renderer."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Final

import click

from reconciler import __version__
from reconciler.cli.options import Exit, Output, WholeSentences
from reconciler.cli.showing import (
    is_nowhere,
    show_bug,
    show_error,
    show_interrupt,
    show_lost,
    show_misuse,
    show_nowhere,
)
from reconciler.cli.streams import is_lost_output, let_go, prepare
from reconciler.diagnostics import CodatSyncError

__all__ = ["main"]

_OBJECTS: Final = 100_000
"""New objects between two looks for garbage in cycles."""


class _Commands(MutableMapping[str, click.Command]):
    """Commands by name, each imported when it is asked for, so that it waits for no other."""

    def __init__(self, modules: dict[str, str]) -> None:
        self._modules = modules
        self._imported: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._imported:
            module = import_module(f"reconciler.cli.{self._modules[name]}")
            self._imported[name] = next(
                member
                for member in vars(module).values()
                if isinstance(member, click.Command) and member.name == name
            )
        return self._imported[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._imported[name] = command

    def __delitem__(self, name: str) -> None:
        del self._modules[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


_COMMANDS: Final = _Commands(
    {
        "apply": "apply",
        "explain": "plan",
        "fmt": "specs",
        "handoff": "handing_over",
        "import": "import_",
        "init": "specs",
        "links": "handing_over",
        "plan": "plan",
        "platforms": "sandbox",
        "retired": "handing_over",
        "sandbox": "sandbox",
        "show": "plan",
        "status": "status",
        "validate": "specs",
        "verify": "status",
    }
)
"""Which module of this room holds a command."""


@click.group(
    cls=WholeSentences,
    commands=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  codat-sync apply specs/ --sandbox --yes    try it, with no account and no network
  codat-sync validate                        check specs/ offline
  codat-sync plan                            what would change in Codat
  codat-sync apply                           change it

Exit statuses: 0 done or nothing to do; 1 error, failed or incomplete; 2 changes pending
(plan --detailed-exitcode) or a misused command line; 3 refused for safety; 130 interrupted.
""",
)
@click.version_option(
    __version__,
    prog_name="codat-sync",
    message=f"%(prog)s %(version)s (Python {'.'.join(map(str, sys.version_info[:3]))}, {sys.platform})",
)
def codat_sync() -> None:
    """Describe companies and connections in YAML; plan and apply them to Codat."""


def main() -> None:
    """Run the command line and exit with its status."""
    _collect_seldom()
    prepare()
    sys.exit(run(sys.argv[1:]))


def _collect_seldom() -> None:
    """Look for garbage in cycles less often than Python does: specs and plans are large, and hold none.

    Each look goes through all of them, which together took longer than reading them.
    """
    gc.freeze()
    gc.set_threshold(_OBJECTS, 50, 100)


def run(arguments: list[str]) -> int:
    """Run the command line on ``arguments``; whatever happens, the result is an exit status."""
    asked: dict[str, object] = {}

    def shown() -> Output:
        return Output(
            int(str(asked.get("verbose", 0))), bool(asked.get("quiet")), bool(asked.get("no_color"))
        )

    try:
        result = codat_sync.main(arguments, prog_name="codat-sync", standalone_mode=False, obj=asked)
        sys.stdout.flush()
        return result if isinstance(result, int) else Exit.OK
    except CodatSyncError as error:
        return show_error(error, shown())
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        return show_misuse(error)
    except (KeyboardInterrupt, click.Abort):
        return show_interrupt()
    except OSError as error:
        if is_nowhere():
            return show_nowhere(shown())
        return (show_lost if is_lost_output(error) else show_bug)(error, shown())
    except Exception as error:  # noqa: BLE001 - the last border: no traceback ever reaches a user
        return show_bug(error, shown())
    finally:
        let_go()
