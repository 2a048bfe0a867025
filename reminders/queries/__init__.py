"""What the screens of «Дозвон» ask, by screen: the rows, the lists with their counters, the dry
run.
"""
