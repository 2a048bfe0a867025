from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = [("journals", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="recallentry",
            name="visits_from",
            field=models.DateTimeField(default=timezone.now),
            preserve_default=False,
        ),
    ]
