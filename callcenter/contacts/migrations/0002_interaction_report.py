"""«Без группировки» counts a period by an index-only scan; the same index serves its list."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("contacts", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="interaction",
            index=models.Index(
                fields=["at", "id"],
                name="interaction_report",
                condition=Q(bound_to__isnull=True),
                include=(
                    "clinic",
                    "contact",
                    "who_type",
                    "shape",
                    "shown_employee",
                    "shown_topic",
                    "channel",
                    "wait_seconds",
                    "talk_seconds",
                ),
            ),
        ),
        migrations.RemoveIndex(model_name="interaction", name="interaction_time"),
    ]
