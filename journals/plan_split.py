"""How a plan is shared among people. Pure: numbers and ids only."""

from collections.abc import Iterable, Mapping, Sequence


def evenly(total: int, people: Sequence[int]) -> dict[int, int]:
    """The same number to everybody; what is left over goes one by one to the first."""
    share, rest = divmod(total, len(people))
    return {person: share + (index < rest) for index, person in enumerate(people)}


def by_capacity(total: int, room: Mapping[int, int]) -> dict[int, int]:
    """In proportion to the room each has left today, never beyond it; so the sum may be less than
    `total`.
    """
    free = {person: max(0, left) for person, left in room.items()}
    space = sum(free.values())
    if space == 0:
        return dict.fromkeys(free, 0)
    total = min(total, space)
    shares = {person: total * left // space for person, left in free.items()}
    # Largest remainder first, so that the shares add up; a share grows only into room that is
    # there.
    order = sorted(free, key=lambda person: (-(total * free[person] % space), person))
    for person in order[: total - sum(shares.values())]:
        shares[person] += 1
    return shares


def deal(entries: Iterable[tuple[int, int | None]], shares: Mapping[int, int]) -> dict[int, int]:
    """Entry id → person: first to whoever called the patient last, while her share lasts, then in
    turn to the rest.

    `entries` are (entry id, last caller's id) in the order of urgency; entries beyond the shares
    are left out.
    """
    left = dict(shares)
    given: dict[int, int] = {}
    others: list[int] = []
    rows = list(entries)[: sum(left.values())]
    for entry, last in rows:
        if last is not None and left.get(last, 0) > 0:
            given[entry] = last
            left[last] -= 1
        else:
            others.append(entry)
    turn = [person for person, share in left.items() if share > 0]
    position = 0
    for entry in others:
        person = turn[position % len(turn)]
        given[entry] = person
        left[person] -= 1
        if left[person] == 0:
            turn.remove(person)
        else:
            position += 1
    return given
