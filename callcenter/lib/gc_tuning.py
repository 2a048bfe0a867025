"""Python's collector of cycles, told what a web process is."""

import gc


def shorten_pauses() -> None:
    """Once a process has loaded what it lives on: that is never looked through again, and the rest
    seldom.

    A full look at everything Django has loaded takes a tenth of a second, in the middle of
    somebody's page; rows of a page die by their reference counts and need no collector.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
