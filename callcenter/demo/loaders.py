"""What fills the demo, in this order: callables of the moment that 'today' is. A desk adds its own
part at the end.
"""

from typing import Final

LOADERS: Final[tuple[str, ...]] = (
    "callcenter.demo.clinics.load",
    "callcenter.demo.import_files.load",
    "callcenter.demo.recalls.load",
    "callcenter.demo.callbacks.load",
    "callcenter.demo.reminders.load",
    # after the gateways of the reminders: its chats come through them
    "callcenter.demo.procedures.load",
    "callcenter.demo.contacts.load",
)
