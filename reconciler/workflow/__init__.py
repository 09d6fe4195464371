"""What the commands do: the only place that builds client, clock and resolver."""
