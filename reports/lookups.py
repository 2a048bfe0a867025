"""The names that the report's pages are full of, each dictionary read once: for filters, rows and
groups alike.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Q

from callcenter.clinics.models import Clinic
from callcenter.contacts.models import AdChannel, Topic
from callcenter.staff.models import User


def short_name(full_name: str) -> str:
    """'Иванова О. П.' of 'Иванова Ольга Петровна'."""
    last, *rest = full_name.split()
    return " ".join([last, *(f"{part[0]}." for part in rest)])


class AdChannelName(NamedTuple):
    """A node of the tree of advertising channels."""

    pk: int
    name: str
    parent_id: int | None
    is_active: bool


@dataclass
class Lookups:
    """Employees of the clinics (and whoever else was met), topics, channels of the tree; by key, in
    the order of filters.
    """

    clinics: dict[int, str]
    people: dict[int, str]
    topics: dict[int, str]
    channels: dict[int, AdChannelName]

    def learn(self, people: Collection[int | None]) -> None:
        """Those who have left the clinics since are named, too."""
        missing = {pk for pk in people if pk is not None and pk not in self.people}
        if missing:
            found = User.objects.filter(pk__in=missing).values_list("pk", "full_name")
            self.people.update((pk, short_name(name)) for pk, name in found)

    def person(self, pk: int | None) -> str:
        return self.people.get(pk, "") if pk is not None else ""

    def topic(self, pk: int | None) -> str:
        return self.topics.get(pk, "") if pk is not None else ""

    def channel(self, pk: int | None) -> str:
        return self.channels[pk].name if pk in self.channels else ""

    def channel_path(self, pk: int | None) -> str:
        """'Контекстная реклама / Яндекс Директ'."""
        path: list[str] = []
        while pk is not None and pk in self.channels and len(path) < 10:
            path.insert(0, self.channels[pk].name)
            pk = self.channels[pk].parent_id
        return " / ".join(path)

    def channel_tree(self) -> list[tuple[int, str]]:
        """The channels that are in use, as an indented tree."""
        children: dict[int | None, list[AdChannelName]] = {}
        for channel in self.channels.values():
            children.setdefault(channel.parent_id, []).append(channel)
        tree: list[tuple[int, str]] = []

        def walk(parent: int | None, depth: int) -> None:
            for channel in children.get(parent, []):
                if channel.is_active:
                    tree.append((channel.pk, "\u2003" * depth + channel.name))
                    walk(channel.pk, depth + 1)

        walk(None, 0)
        return tree

    def below(self, channels: Collection[int | None]) -> list[int | None]:
        """A channel of the tree means all below it, too."""
        found = list(channels)
        for key in found:
            if key is not None:
                found.extend(
                    one.pk
                    for one in self.channels.values()
                    if one.parent_id == key and one.pk not in found
                )
        return found


def lookups_of(clinics: Sequence[Clinic]) -> Lookups:
    """Three queries, whatever the page shows."""
    people = User.objects.filter(
        pk__in=Clinic.staff.through.objects.filter(
            Q(clinic__among=[clinic.pk for clinic in clinics])
        ).values("user")
    )
    channels = map(AdChannelName._make, AdChannel.objects.values_list(*AdChannelName._fields))
    return Lookups(
        clinics={clinic.pk: clinic.name for clinic in clinics},
        people={
            pk: short_name(name)
            for pk, name in people.order_by("full_name").values_list("pk", "full_name")
        },
        topics=dict(Topic.objects.values_list("pk", "name")),
        channels={channel.pk: channel for channel in channels},
    )
