"""Every meaningful write of the procedures: one verb, one transaction, an audit row."""
