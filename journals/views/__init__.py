"""The journal's screens: a page is one URL, one function, one template."""
