"""`make bench`: what the pages and actions cost at full size, against bare SQL in the same run."""
