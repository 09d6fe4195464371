"""A pretend Codat, with its quirks and with faults on demand."""
