"""YAML to desired state or diagnostics, each with its place."""
