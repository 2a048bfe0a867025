import datetime
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('clinics', '0001_initial'),
        ('contacts', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Reminder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('removed_reason', models.CharField(blank=True, max_length=120)),
                ('called_at', models.DateTimeField(null=True)),
                ('result', models.CharField(blank=True, choices=[('coming', 'дозвонились, придёт'), ('not_coming', 'дозвонились, не придёт'), ('unreached', 'не дозвонились'), ('wrote', 'ответил письменно, придёт')], max_length=10)),
                ('is_settled', models.BooleanField(default=False)),
                ('comment', models.TextField(blank=True)),
                ('calling_at', models.DateTimeField(null=True)),
                ('changed_at', models.DateTimeField()),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='clinics.appointment')),
                ('called_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('calling_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinics.clinic')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='clinics.patient')),
            ],
            options={
                'verbose_name': 'напоминание',
                'ordering': ['starts_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='ReminderMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('round', models.CharField(choices=[('evening', 'вечерний'), ('day', 'дневной (ДД)')], max_length=7)),
                ('result', models.CharField(blank=True, choices=[('coming', 'дозвонились, придёт'), ('not_coming', 'дозвонились, не придёт'), ('unreached', 'не дозвонились'), ('wrote', 'ответил письменно, придёт')], max_length=10)),
                ('picked_up', models.BooleanField(null=True, verbose_name='взял ли трубку')),
                ('coming', models.CharField(blank=True, choices=[('yes', 'придёт'), ('no', 'не придёт'), ('unknown', 'неизвестно')], max_length=7, verbose_name='подойдёт ли на приём')),
                ('comment', models.TextField(blank=True, verbose_name='комментарий')),
                ('undone_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('interaction', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='contacts.interaction')),
                ('reminder', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='reminders.reminder')),
                ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='ReminderRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField(verbose_name='день')),
                ('until', models.DateField(verbose_name='по какой день приёмы')),
                ('opened_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(null=True)),
                ('blue_sms_due_at', models.DateTimeField(null=True)),
                ('blue_sms_at', models.DateTimeField(null=True)),
                ('handed_over_at', models.DateTimeField(null=True)),
                ('handover_note', models.TextField(blank=True)),
                ('due_at', models.DateTimeField(null=True)),
                ('claimed_at', models.DateTimeField(null=True)),
                ('last_error', models.CharField(blank=True, max_length=250)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reminder_runs', to='clinics.clinic')),
                ('handed_over_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('opened_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sent_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'список дозвона',
                'ordering': ['-on', 'clinic'],
            },
        ),
        migrations.AddField(
            model_name='reminder',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reminders', to='reminders.reminderrun'),
        ),
        migrations.CreateModel(
            name='ReminderSettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('opens_at', models.TimeField(default=datetime.time(12, 0), help_text='«Каждый день с 12.00»', verbose_name='открывать список в')),
                ('next_day_only', models.BooleanField(default=False, help_text='иначе — все дни до следующей жёлтой смены', verbose_name='только следующий день')),
                ('sends_itself', models.BooleanField(default=True, help_text='иначе — по кнопке «Отправить уведомление всем пациентам»', verbose_name='отправлять сразу')),
                ('blue_sms_at', models.TimeField(blank=True, help_text='пусто — только по кнопке «СМС голубым»', null=True, verbose_name='СМС голубым в')),
                ('due_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('last_error', models.CharField(blank=True, editable=False, max_length=250)),
                ('clinic', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='reminder_settings', to='clinics.clinic')),
            ],
            options={
                'verbose_name': 'настройки напоминаний',
            },
        ),
        migrations.AddIndex(
            model_name='reminderrun',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='run_due'),
        ),
        migrations.AddIndex(
            model_name='reminderrun',
            index=models.Index(condition=models.Q(('blue_sms_due_at__isnull', False)), fields=['blue_sms_due_at'], name='run_blue_sms'),
        ),
        migrations.AddConstraint(
            model_name='reminderrun',
            constraint=models.UniqueConstraint(fields=('clinic', 'on'), name='run_once_a_day'),
        ),
        migrations.AddIndex(
            model_name='reminder',
            index=models.Index(fields=['run', 'starts_at'], name='reminder_run_time'),
        ),
        migrations.AddIndex(
            model_name='reminder',
            index=models.Index(fields=['clinic', 'starts_at'], name='reminder_clinic_time'),
        ),
        migrations.AddIndex(
            model_name='reminder',
            index=models.Index(fields=['patient', '-starts_at'], name='reminder_patient'),
        ),
        migrations.AddConstraint(
            model_name='reminder',
            constraint=models.UniqueConstraint(fields=('run', 'appointment'), name='reminder_once_a_run'),
        ),
        migrations.AddConstraint(
            model_name='reminder',
            constraint=models.UniqueConstraint(condition=models.Q(('removed_at__isnull', True)), fields=('appointment',), name='reminder_present_once'),
        ),
        migrations.AddIndex(
            model_name='remindersettings',
            index=models.Index(fields=['due_at'], name='reminder_settings_due'),
        ),
    ]
