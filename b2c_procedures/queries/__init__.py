"""What the screens of the procedures show, each with a fixed number of queries."""
