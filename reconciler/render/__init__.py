"""Plans, outcomes and diagnostics as text: one view model, one escaping writer per format."""
