"""People's names in words."""


def short_name(full_name: str) -> str:
    """'Иванова О. П.' of 'Иванова Ольга Петровна'."""
    last, *rest = full_name.split()
    return " ".join([last, *(f"{part[0]}." for part in rest)])
