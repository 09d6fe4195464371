"""What the commands do: the only place that builds client, clock and resolver.

One module a command; each is imported by its command alone, so that ``validate`` loads no HTTP client.
"""
