"""The forbidden wordings of the document, as the list begins; it is edited on the settings page."""

from django.db import migrations

PHRASES = [
    ("отдел* логистик*", "называет отдел", "«передали специалистам»"),
    ("в логистик*", "называет отдел", "«передали специалистам»"),
    ("проборазбор*", "называет отдел", "«передали специалистам»"),
    ("пробоподготовк*", "называет отдел", "«передали специалистам»"),
    ("финансов* отдел*", "называет отдел", "«передали специалистам»"),
    ("бухгалтери*", "называет отдел", "«передали специалистам»"),
    ("в отдел", "называет отдел", "«передали специалистам»"),
    ("лаборатори* выполня*", "называет отдел", "«исследование выполняется по направлению»"),
    ("в лаборатори*", "называет отдел", "«уточняем информацию»"),
    ("меня зовут", "называет своё имя", "пишите от лица команды"),
]


def fill(apps, schema_editor):
    phrase = apps.get_model("b2c_procedures", "ForbiddenPhrase")
    phrase.objects.bulk_create([phrase(phrase=words, why=why, instead=instead) for words, why, instead in PHRASES])


class Migration(migrations.Migration):
    dependencies = [("b2c_procedures", "0001_initial")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
