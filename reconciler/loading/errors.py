"""The one exception of this room."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.diagnostics import CodatSyncError, Diagnostic, in_reading_order


class SpecError(CodatSyncError):
    """The specs cannot be used; holds every error of the run, and the warnings beside them."""

    def __init__(self, errors: Iterable[Diagnostic], warnings: Iterable[Diagnostic] = ()) -> None:
        super().__init__(*errors)
        self.warnings = in_reading_order(warnings)
