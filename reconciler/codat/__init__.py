"""The Codat API over HTTP: one short method per endpoint, JSON to model, pacing and retry beneath."""
