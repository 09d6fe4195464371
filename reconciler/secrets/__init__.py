"""Resolves a secret reference to a value, as late as possible."""
