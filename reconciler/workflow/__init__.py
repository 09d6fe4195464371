"""What the commands do: the only place that builds client, clock and resolver.

A module for a command, or for those that go together; each is imported by its commands alone, so that
``validate`` loads no HTTP client.
"""
