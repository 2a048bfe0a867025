import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('login', models.CharField(max_length=60, unique=True, verbose_name='логин')),
                ('full_name', models.CharField(max_length=150, verbose_name='ФИО')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('extension', models.CharField(blank=True, max_length=20, verbose_name='внутренний номер')),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('administrator', 'администратор'), ('senior', 'старший администратор'), ('manager', 'управляющий'), ('doctor', 'врач'), ('consultant', 'врач-консультант'), ('lead', 'ведущий менеджер'), ('head', 'руководитель отдела клиентского сервиса'), ('auditor', 'аудитор контроля качества'), ('responsible', 'ответственное лицо'), ('branch', 'администратор филиала')], max_length=20), default=list, size=None, verbose_name='роли')),
                ('sees_phones', models.BooleanField(default=True, verbose_name='видит номера телефонов')),
                ('capacity', models.PositiveSmallIntegerField(default=40, verbose_name='звонков по плану в день')),
                ('is_active', models.BooleanField(default=True, verbose_name='работает')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name': 'сотрудник',
                'verbose_name_plural': 'сотрудники',
                'ordering': ['full_name'],
            },
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('page', models.CharField(max_length=60)),
                ('name', models.CharField(max_length=80, verbose_name='название')),
                ('query', models.CharField(max_length=2000)),
                ('is_shared', models.BooleanField(default=False, verbose_name='показывать коллегам')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('owner', 'page', 'name'), name='saved_view_once')],
            },
        ),
        migrations.CreateModel(
            name='Shift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField(verbose_name='день')),
                ('colour', models.CharField(choices=[('yellow', 'жёлтая'), ('green', 'зелёная'), ('blue', 'синяя'), ('red', 'красная')], max_length=10, verbose_name='смена')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shifts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['on', 'colour'],
                'indexes': [models.Index(fields=['colour', 'on'], name='shift_colour_day')],
                'constraints': [models.UniqueConstraint(fields=('user', 'on', 'colour'), name='shift_once')],
            },
        ),
        migrations.CreateModel(
            name='TableColumns',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('table', models.CharField(max_length=60)),
                ('columns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), size=None)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'table'), name='table_columns_once')],
            },
        ),
    ]
