"""The command line: parse, call one workflow, hand its result to a renderer."""
