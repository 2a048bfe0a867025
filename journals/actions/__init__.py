"""Every meaningful write of Журнал КОС, split by what it is about: entries, cards and calls, plans,
timers.
"""
