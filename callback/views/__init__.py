"""Pages of the callback desk, split by screen."""
