"""The journal's own template tags."""
