"""What the journal's screens need, each with a fixed number of queries, split by screen."""
