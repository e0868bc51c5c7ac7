"""Programs by others, run against a real node."""
