from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("b2c_procedures", "0002_phrases")]
    operations = [migrations.RemoveField(model_name="refundinvoice", name="claimed_at")]
