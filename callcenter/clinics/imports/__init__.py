"""Files of the clinic's own system — patients, visits, free windows, КОС entries — read, checked, shown, then written."""
