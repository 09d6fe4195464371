"""codat-sync: a declarative reconciler for Codat. Specs and live state -> plan -> outcome -> text."""

__version__ = "0.1.0"
