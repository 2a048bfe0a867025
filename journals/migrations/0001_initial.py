import django.core.validators
import django.db.models.deletion
import journals.outcome_rules
from django.conf import settings
from django.db import migrations, models

from journals.migrations import _reasons


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('clinics', '0001_initial'),
        ('contacts', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SyncCursor',
            fields=[
                ('name', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='CallPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField(verbose_name='на какой день')),
                ('segment', models.JSONField(default=dict, verbose_name='по какому отбору')),
                ('given_at', models.DateTimeField()),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='call_plans', to='clinics.clinic')),
                ('given_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-given_at'],
            },
        ),
        migrations.CreateModel(
            name='PlanItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField()),
                ('state', models.CharField(choices=[('open', 'осталось'), ('called', 'позвонили'), ('returned', 'не позвонили, вернулась'), ('closed', 'закрыта без звонка')], default='open', max_length=8)),
                ('outcome', models.CharField(blank=True, choices=journals.outcome_rules.outcome_choices, max_length=20)),
                ('stage_after', models.CharField(blank=True, choices=[('call', 'Звать'), ('booked', 'Записан'), ('refused', 'Отказ')], max_length=7)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField()),
                ('assignee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='plan_items', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinics.clinic')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='journals.callplan')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='RecallEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('doctor_comment', models.TextField(verbose_name='комментарий врача')),
                ('stage', models.CharField(choices=[('call', 'Звать'), ('booked', 'Записан'), ('refused', 'Отказ')], default='call', max_length=7, verbose_name='статус')),
                ('call_on', models.DateField(verbose_name='дата прозвона')),
                ('call_half', models.CharField(blank=True, choices=[('morning', 'первая половина дня'), ('evening', 'вторая половина дня')], max_length=7, verbose_name='когда лучше')),
                ('unreached', models.PositiveSmallIntegerField(default=0, verbose_name='звонков без ответа')),
                ('talks', models.PositiveSmallIntegerField(default=0, verbose_name='разговоров без результата')),
                ('granted', models.PositiveSmallIntegerField(default=0, verbose_name='разрешено сверх правила')),
                ('calls', models.PositiveSmallIntegerField(default=0, verbose_name='звонков')),
                ('flagged', models.BooleanField(default=False, verbose_name='пометка старшему')),
                ('last_outcome', models.CharField(blank=True, choices=journals.outcome_rules.outcome_choices, max_length=20, verbose_name='итог')),
                ('last_comment', models.TextField(blank=True, verbose_name='комментарий')),
                ('last_call_at', models.DateTimeField(blank=True, null=True, verbose_name='последний звонок')),
                ('touched_at', models.DateTimeField(verbose_name='последнее изменение')),
                ('several_visits', models.BooleanField(default=False, verbose_name='какая из записей?')),
                ('visits_from', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('reserved_until', models.DateTimeField(blank=True, null=True)),
                ('reserved_key', models.CharField(blank=True, max_length=32)),
                ('version', models.PositiveIntegerField(default=1)),
                ('last_error', models.CharField(blank=True, max_length=250)),
                ('created_at', models.DateTimeField(verbose_name='внесена')),
                ('source', models.CharField(default='hand', max_length=40, verbose_name='откуда')),
                ('source_id', models.CharField(blank=True, max_length=60)),
                ('appointment', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='recall_entries', to='clinics.appointment')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='recall_entries', to='clinics.clinic', verbose_name='клиника')),
                ('closed_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('doctor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='recall_entries', to='clinics.doctor', verbose_name='врач')),
                ('last_caller', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='кто')),
                ('last_reason', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.reason', verbose_name='причина')),
                ('patient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='recall_entries', to='clinics.patient', verbose_name='пациент')),
                ('reserved_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('waiting', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='recall_entries', to='clinics.waitinglistentry')),
            ],
            options={
                'verbose_name': 'запись журнала КОС',
                'ordering': ['call_on', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='RecallCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(verbose_name='который звонок')),
                ('direction', models.CharField(choices=[('in', 'нам звонят'), ('out', 'мы звоним')], default='out', max_length=3)),
                ('at', models.DateTimeField()),
                ('on', models.DateField(verbose_name='местный день')),
                ('half', models.CharField(choices=[('morning', 'первая половина дня'), ('evening', 'вторая половина дня')], max_length=7)),
                ('outcome', models.CharField(choices=journals.outcome_rules.outcome_choices, max_length=20, verbose_name='итог')),
                ('stage_after', models.CharField(choices=[('call', 'Звать'), ('booked', 'Записан'), ('refused', 'Отказ')], max_length=7, verbose_name='статус')),
                ('comment', models.TextField(verbose_name='комментарий')),
                ('next_on', models.DateField(blank=True, null=True, verbose_name='следующая дата')),
                ('token', models.UUIDField(unique=True)),
                ('appointment', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='clinics.appointment')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recall_calls', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinics.clinic')),
                ('doctor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinics.doctor')),
                ('interaction', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='recall_call', to='contacts.interaction')),
                ('plan_item', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='call', to='journals.planitem')),
                ('reason', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.reason')),
                ('refusal_reason', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.reason')),
                ('waiting', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='clinics.waitinglistentry')),
                ('entry', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='call_log', to='journals.recallentry')),
            ],
            options={
                'verbose_name': 'звонок по КОС',
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='planitem',
            name='entry',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='plan_items', to='journals.recallentry'),
        ),
        migrations.CreateModel(
            name='RecallPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('calls', models.PositiveSmallIntegerField(default=3, help_text='«Звоним три раза»', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10)], verbose_name='звонков без ответа до отказа')),
                ('interval_days', models.PositiveSmallIntegerField(default=7, help_text='«Меняем дату три раза через неделю»', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(60)], verbose_name='дней между звонками')),
                ('talks_before_flag', models.PositiveSmallIntegerField(default=3, help_text='«Думает» и «напомнить позже» недозвоном не считаются', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10)], verbose_name='разговоров без результата до пометки старшему')),
                ('hold_minutes', models.PositiveSmallIntegerField(default=10, help_text='пока карточка открыта, бронь продлевается сама', validators=[django.core.validators.MinValueValidator(2), django.core.validators.MaxValueValidator(60)], verbose_name='минут держится открытая карточка')),
                ('clinic', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='recall_policy', to='clinics.clinic')),
            ],
        ),
        migrations.AddIndex(
            model_name='recallentry',
            index=models.Index(fields=['clinic', 'stage', 'call_on', 'id'], include=('doctor', 'last_reason', 'last_caller'), name='recall_clinic_stage'),
        ),
        migrations.AddIndex(
            model_name='recallentry',
            index=models.Index(fields=['stage', 'call_on', 'id'], name='recall_stage'),
        ),
        migrations.AddIndex(
            model_name='recallentry',
            index=models.Index(fields=['call_on', 'id'], name='recall_all'),
        ),
        migrations.AddIndex(
            model_name='recallentry',
            index=models.Index(fields=['stage', '-touched_at', '-id'], name='recall_stage_touched'),
        ),
        migrations.AddIndex(
            model_name='recallentry',
            index=models.Index(fields=['-touched_at', '-id'], name='recall_touched'),
        ),
        migrations.AddIndex(
            model_name='recallentry',
            index=models.Index(fields=['patient'], name='recall_patient'),
        ),
        migrations.AddIndex(
            model_name='recallentry',
            index=models.Index(fields=['doctor', 'stage', 'call_on', 'id'], name='recall_doctor'),
        ),
        migrations.AddIndex(
            model_name='recallentry',
            index=models.Index(condition=models.Q(('stage', 'call'), ('waiting__isnull', False)), fields=['waiting'], name='recall_waiting'),
        ),
        migrations.AddIndex(
            model_name='recallentry',
            index=models.Index(condition=models.Q(('stage', 'call'), models.Q(('flagged', True), ('several_visits', True), _connector='OR')), fields=['clinic'], name='recall_asks'),
        ),
        migrations.AddConstraint(
            model_name='recallentry',
            constraint=models.CheckConstraint(condition=models.Q(('doctor_comment', ''), _negated=True), name='recall_has_doctor_comment'),
        ),
        migrations.AddConstraint(
            model_name='recallentry',
            constraint=models.UniqueConstraint(condition=models.Q(('stage', 'call')), fields=('clinic', 'patient', 'doctor'), name='recall_one_open'),
        ),
        migrations.AddConstraint(
            model_name='recallentry',
            constraint=models.UniqueConstraint(condition=models.Q(('source_id', ''), _negated=True), fields=('source', 'source_id'), name='recall_source'),
        ),
        migrations.AddIndex(
            model_name='recallcall',
            index=models.Index(fields=['clinic', 'on'], name='recall_call_day'),
        ),
        migrations.AddIndex(
            model_name='recallcall',
            index=models.Index(fields=['entry', 'at'], name='recall_call_entry'),
        ),
        migrations.AddIndex(
            model_name='planitem',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['assignee', 'on'], name='plan_item_mine'),
        ),
        migrations.AddIndex(
            model_name='planitem',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['due_at'], name='plan_item_due'),
        ),
        migrations.AddIndex(
            model_name='planitem',
            index=models.Index(fields=['clinic', 'on'], name='plan_item_day'),
        ),
        migrations.AddIndex(
            model_name='planitem',
            index=models.Index(fields=['entry'], name='plan_item_entry'),
        ),
        migrations.AddConstraint(
            model_name='planitem',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('entry',), name='plan_item_one_open'),
        ),
        migrations.RunPython(_reasons.add, migrations.RunPython.noop),
    ]
