import django.db.models.deletion
import reports.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('query', models.CharField(max_length=2000)),
                ('state', models.CharField(choices=[('waiting', 'ждёт'), ('running', 'идёт'), ('done', 'готово'), ('failed', 'не вышло')], default='waiting', max_length=8)),
                ('done', models.PositiveIntegerField(default=0, verbose_name='строк готово')),
                ('total', models.PositiveIntegerField(default=0, verbose_name='строк всего')),
                ('file', models.FileField(blank=True, max_length=250, upload_to=reports.models.export_path)),
                ('created_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(null=True)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('last_error', models.CharField(blank=True, max_length=250)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at'],
                'indexes': [models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='export_due'), models.Index(fields=['owner', '-created_at'], name='export_mine')],
            },
        ),
    ]
