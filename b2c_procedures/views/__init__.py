"""Pages of the procedures, one function each."""
