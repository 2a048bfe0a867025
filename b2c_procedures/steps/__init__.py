"""What functions of procedures do: the registry of actions that definitions name, each on the
product's real objects.
"""
