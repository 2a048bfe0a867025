"""Sharing chats out evenly by load (CH-01: «автоматически равномерно распределяются … по мере их
загруженности»). Pure.
"""

import heapq
from collections.abc import Mapping, Sequence


def share(chats: Sequence[int], loads: Mapping[int, int]) -> dict[int, int]:
    """Chat → manager: each to whoever has the fewest at that moment, the smaller key first; nobody
    there → {}.

    With equal loads to begin with, the loads afterwards differ by at most one.
    """
    heap = [(load, manager) for manager, load in sorted(loads.items())]
    heapq.heapify(heap)
    given: dict[int, int] = {}
    for chat in chats:
        if not heap:
            break
        load, manager = heapq.heappop(heap)
        given[chat] = manager
        heapq.heappush(heap, (load + 1, manager))
    return given
