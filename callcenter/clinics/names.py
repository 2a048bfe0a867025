"""Names as keys: ё = е, case and hyphens do not matter. Pure."""

import re


def fold(text: str) -> str:
    """Lower case, ё → е, anything but letters and digits → one space."""
    return re.sub(r"[\W_]+", " ", text.lower().replace("ё", "е")).strip()


def sort_key(last: str, first: str = "", middle: str = "") -> str:
    """The stored key by which people are sorted and their surnames searched."""
    return " ".join(part for part in (fold(last), fold(first), fold(middle)) if part)


def search_key(text: str) -> list[str]:
    """The words of a name, each as a key."""
    return fold(text).split()
