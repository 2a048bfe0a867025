"""The first dictionary of reasons, so that a fresh installation can end a call; the senior edits it afterwards."""

REASONS = (
    ("Не берёт трубку", ["unreached"], 10),
    ("Недоступен", ["unreached"], 20),
    ("Хочет подумать", ["thinking", "not_booked"], 30),
    ("Не знает, когда удобно", ["thinking", "not_booked"], 40),
    ("Посоветуется с близкими", ["thinking", "not_booked"], 50),
    ("Дорого", ["thinking", "refused", "not_booked"], 60),
    ("Ничего не беспокоит", ["refused", "thinking"], 70),
    ("Лечится в другой клинике", ["refused", "not_booked"], 80),
    ("Переехал", ["refused", "not_booked"], 90),
    ("Недоволен лечением", ["refused"], 100),
    ("Не дозвонились", ["refused"], 110),
    ("Не объяснил", ["refused", "not_booked"], 120),
)


def add(apps, schema_editor):
    Reason = apps.get_model("contacts", "Reason")
    for name, uses, position in REASONS:
        reason, created = Reason.objects.get_or_create(name=name, defaults={"uses": uses, "position": position})
        if not created:
            reason.uses = [*reason.uses, *(use for use in uses if use not in reason.uses)]
            reason.save(update_fields=["uses"])
