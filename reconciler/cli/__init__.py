"""The command line: parse, call one workflow, hand its result to a renderer."""

from __future__ import annotations

import gc
import sys
from typing import Final

import click

from reconciler import __version__
from reconciler.cli.apply import apply
from reconciler.cli.handing_over import handoff, links, retired
from reconciler.cli.import_ import import_
from reconciler.cli.options import Exit, Output, WholeSentences
from reconciler.cli.plan import explain, plan, show
from reconciler.cli.sandbox import platforms, sandbox
from reconciler.cli.showing import (
    is_nowhere,
    show_bug,
    show_error,
    show_interrupt,
    show_lost,
    show_misuse,
    show_nowhere,
)
from reconciler.cli.specs import fmt, init, validate
from reconciler.cli.status import status, verify
from reconciler.cli.streams import is_lost_output, let_go, prepare
from reconciler.diagnostics import CodatSyncError

__all__ = ["main"]

_OBJECTS: Final = 100_000
"""New objects between two looks for garbage in cycles."""


@click.group(
    cls=WholeSentences,
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


_COMMANDS = (
    apply,
    explain,
    fmt,
    handoff,
    import_,
    init,
    links,
    plan,
    platforms,
    retired,
    sandbox,
    show,
    status,
    validate,
    verify,
)
for _command in _COMMANDS:
    codat_sync.add_command(_command)


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
