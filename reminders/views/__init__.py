"""Pages of «Дозвон», by screen: the lists, one row, the settings, the report."""
