"""codat-sync: a declarative reconciler for Codat. Specs and live state -> plan -> outcome -> text."""

from typing import Final

__version__ = "0.1.0"

DEFAULT_SPECS: Final = "specs"
"""Where specs are looked for, if the command line does not say."""
