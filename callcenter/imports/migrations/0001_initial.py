import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('clinics', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ImportRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20, verbose_name='что')),
                ('state', models.CharField(choices=[('columns', 'выбор столбцов'), ('checking', 'проверяется'), ('ready', 'ждёт подтверждения'), ('running', 'загружается'), ('done', 'загружен'), ('failed', 'не загружен'), ('dropped', 'отменён')], default='columns', max_length=8)),
                ('file_name', models.CharField(max_length=200, verbose_name='файл')),
                ('digest', models.CharField(max_length=64)),
                ('sheet', models.CharField(blank=True, max_length=100, verbose_name='лист')),
                ('rows', models.PositiveIntegerField(verbose_name='строк')),
                ('headings', models.JSONField(default=list)),
                ('samples', models.JSONField(default=list)),
                ('columns', models.JSONField(default=dict)),
                ('counts', models.JSONField(default=dict)),
                ('cancel_missing', models.BooleanField(default=False, verbose_name='отменить визиты, которых нет в файле')),
                ('error', models.TextField(blank=True)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('token', models.CharField(blank=True, max_length=32)),
                ('progress', models.PositiveIntegerField(default=0)),
                ('crash_count', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField(verbose_name='выбран')),
                ('confirmed_at', models.DateTimeField(blank=True, null=True, verbose_name='подтверждён')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='закончен')),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='clinics.clinic', verbose_name='клиника')),
                ('clinics', models.ManyToManyField(related_name='+', to='clinics.clinic', verbose_name='клиники строк')),
                ('confirmed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'импорт',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='ImportFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('rejected', 'не загрузится'), ('missing', 'нет в файле'), ('moved', 'перенос'), ('closed', 'снятие окна'), ('notice', 'обратите внимание')], max_length=9)),
                ('line', models.PositiveIntegerField(default=0)),
                ('problems', models.JSONField()),
                ('cells', models.JSONField(default=list)),
                ('subject_id', models.BigIntegerField(null=True)),
                ('version', models.PositiveIntegerField(default=0)),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='findings', to='imports.importrun')),
            ],
        ),
        migrations.CreateModel(
            name='ImportFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.BinaryField()),
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='file', to='imports.importrun')),
            ],
        ),
        migrations.AddIndex(
            model_name='importrun',
            index=models.Index(condition=models.Q(('state__in', ['checking', 'running'])), fields=['claimed_at'], name='import_work'),
        ),
        migrations.AddIndex(
            model_name='importrun',
            index=models.Index(fields=['digest'], name='import_digest'),
        ),
        migrations.AddIndex(
            model_name='importfinding',
            index=models.Index(fields=['run', 'kind', 'line', 'id'], name='finding_of_run'),
        ),
    ]
