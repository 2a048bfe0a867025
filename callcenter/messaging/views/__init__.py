"""Pages of messages: what the outside calls, and the senior's settings."""
