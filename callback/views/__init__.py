"""Pages of callback requests, split by screen."""
