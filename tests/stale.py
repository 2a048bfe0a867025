"""Two people at one form: what a page gives back of what it showed."""

import re

from django.test import Client


def shown_at(client: Client, url: str) -> str:
    """The stamp in the form of a page."""
    found = re.search(r'name="shown" value="([0-9a-f]+)"', client.get(url).content.decode())
    assert found is not None, f"no stamp at {url}"
    return found[1]
