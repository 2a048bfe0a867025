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
            name='Task',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=200, verbose_name='задача')),
                ('body', models.TextField(blank=True, verbose_name='подробности')),
                ('department', models.CharField(choices=[('call_centre', 'Колл-центр'), ('oks', 'Задачи ОКС'), ('consultant', 'Врач-консультант'), ('sample_preparation', 'Пробоподготовка'), ('orders', 'Журнал заказов'), ('branch', 'МО'), ('logistics', 'Логистика'), ('help_desk', 'Help Desk')], default='call_centre', max_length=20, verbose_name='отдел')),
                ('role', models.CharField(blank=True, choices=[('administrator', 'администратор'), ('senior', 'старший администратор'), ('manager', 'управляющий'), ('doctor', 'врач'), ('consultant', 'врач-консультант'), ('lead', 'ведущий менеджер'), ('head', 'руководитель отдела клиентского сервиса'), ('auditor', 'аудитор контроля качества'), ('responsible', 'ответственное лицо'), ('branch', 'администратор филиала')], max_length=20, verbose_name='кому (роль)')),
                ('state', models.CharField(choices=[('open', 'открыта'), ('in_work', 'в работе'), ('done', 'выполнена'), ('cancelled', 'снята')], default='open', max_length=10)),
                ('deadline_at', models.DateTimeField(verbose_name='срок')),
                ('origin', models.CharField(blank=True, max_length=120)),
                ('link', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.TextField(blank=True, verbose_name='чем закончилось')),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('escalated', models.PositiveSmallIntegerField(default=0)),
                ('last_error', models.CharField(blank=True, max_length=250)),
                ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tasks_got', to=settings.AUTH_USER_MODEL, verbose_name='исполнитель')),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tasks_given', to=settings.AUTH_USER_MODEL, verbose_name='кто поставил')),
                ('clinic', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='clinics.clinic')),
                ('closed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='clinics.patient')),
            ],
            options={
                'verbose_name': 'задача',
                'ordering': ['deadline_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='TaskMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('text', models.TextField()),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='assignments.task')),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('state__in', ['open', 'in_work'])), fields=['deadline_at'], name='task_open'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('state__in', ['open', 'in_work'])), fields=['assignee', 'deadline_at'], name='task_mine'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='task_due'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(fields=['patient'], name='task_patient'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.UniqueConstraint(condition=models.Q(('origin', ''), _negated=True), fields=('origin',), name='task_once_per_origin'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('role', ''), _negated=True), ('assignee__isnull', False), _connector='OR'), name='task_has_addressee'),
        ),
    ]
