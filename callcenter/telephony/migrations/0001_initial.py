import django.db.models.deletion
import uuid
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
            name='BrowserPhoneAction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(max_length=80)),
                ('kind', models.CharField(max_length=10)),
                ('value', models.CharField(blank=True, max_length=60)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Call',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('scenario', models.CharField(choices=[('click', 'звонок из программы'), ('incoming', 'входящий'), ('callback', 'обратный звонок'), ('webhook', 'звонок облачной АТС')], max_length=10)),
                ('direction', models.CharField(choices=[('in', 'нам звонят'), ('out', 'мы звоним')], max_length=3)),
                ('number', models.CharField(blank=True, max_length=16)),
                ('line', models.CharField(blank=True, max_length=40)),
                ('started_at', models.DateTimeField()),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('connected_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('end', models.CharField(blank=True, choices=[('answered', 'ответил'), ('busy', 'занято'), ('no_answer', 'не ответил'), ('rejected', 'сбросил'), ('unreachable', 'недоступен'), ('wrong_number', 'номер не существует'), ('cancelled', 'мы отменили'), ('passed_on', 'дальше ведёт АТС'), ('lost', 'связь с АТС прервалась'), ('failed', 'не удалось набрать')], max_length=12)),
                ('bridge', models.CharField(blank=True, max_length=60)),
                ('step_due_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.CharField(blank=True, max_length=250)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='clinics.clinic')),
                ('employee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='calls', to=settings.AUTH_USER_MODEL)),
                ('interaction', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='call', to='contacts.interaction')),
                ('patient', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='clinics.patient')),
            ],
            options={
                'ordering': ['-started_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Leg',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(max_length=80, unique=True)),
                ('role', models.CharField(choices=[('employee', 'администратор'), ('patient', 'пациент')], max_length=8)),
                ('endpoint', models.CharField(max_length=120)),
                ('number', models.CharField(blank=True, max_length=16)),
                ('state', models.CharField(choices=[('planned', 'набираем'), ('ringing', 'звонит'), ('up', 'на линии'), ('ended', 'завершён')], default='planned', max_length=8)),
                ('created_at', models.DateTimeField()),
                ('ringing_at', models.DateTimeField(blank=True, null=True)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('end', models.CharField(blank=True, choices=[('answered', 'ответил'), ('busy', 'занято'), ('no_answer', 'не ответил'), ('rejected', 'сбросил'), ('unreachable', 'недоступен'), ('wrong_number', 'номер не существует'), ('cancelled', 'мы отменили'), ('passed_on', 'дальше ведёт АТС'), ('lost', 'связь с АТС прервалась'), ('failed', 'не удалось набрать')], max_length=12)),
                ('cause', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('dial_status', models.CharField(blank=True, max_length=20)),
                ('note', models.CharField(blank=True, max_length=250)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='legs', to='telephony.call')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='legs', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='LinkedRecording',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(max_length=1000)),
                ('seconds', models.FloatField(default=0)),
                ('created_at', models.DateTimeField()),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.CharField(blank=True, max_length=250)),
                ('interaction', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='linked_recordings', to='contacts.interaction')),
            ],
        ),
        migrations.CreateModel(
            name='PbxCommand',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verb', models.CharField(choices=[('ring', 'набрать'), ('play', 'проиграть'), ('stop_playing', 'прервать речь'), ('connect', 'соединить'), ('record', 'записывать'), ('answer', 'снять трубку'), ('hang_up', 'повесить трубку'), ('return_to_dialplan', 'вернуть АТС'), ('disconnect', 'убрать мост')], max_length=20)),
                ('ref', models.CharField(blank=True, max_length=80)),
                ('args', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('pending', 'ждёт'), ('taken', 'выполняется'), ('done', 'выполнена'), ('refused', 'отклонена'), ('maybe', 'неизвестно'), ('expired', 'устарела')], default='pending', max_length=8)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('fence', models.BigIntegerField(blank=True, null=True)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.CharField(blank=True, max_length=250)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='commands', to='telephony.call')),
                ('leg', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='commands', to='telephony.leg')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='PbxWebhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('vendor', models.CharField(max_length=20)),
                ('session', models.CharField(max_length=80)),
                ('event', models.CharField(max_length=40)),
                ('happened', models.CharField(blank=True, max_length=40)),
                ('body', models.JSONField()),
                ('received_at', models.DateTimeField()),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.CharField(blank=True, max_length=250)),
                ('clinic', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='clinics.clinic')),
            ],
        ),
        migrations.CreateModel(
            name='PhoneBinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField(verbose_name='день')),
                ('kind', models.CharField(choices=[('pbx', 'телефон АТС'), ('browser', 'телефон в браузере'), ('off', 'не на телефоне')], max_length=8, verbose_name='телефон')),
                ('endpoint', models.CharField(blank=True, max_length=80, verbose_name='адрес в АТС')),
                ('bound_at', models.DateTimeField()),
                ('rung_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='phone_bindings', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='PhoneLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(help_text='E.164', max_length=16, unique=True, verbose_name='номер')),
                ('label', models.CharField(blank=True, max_length=60, verbose_name='название')),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='clinics.clinic', verbose_name='клиника')),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='RobotLease',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('holder', models.CharField(blank=True, max_length=80)),
                ('token', models.BigIntegerField(default=0)),
                ('heartbeat_at', models.DateTimeField(blank=True, null=True)),
                ('connected', models.BooleanField(default=False)),
                ('connected_at', models.DateTimeField(blank=True, null=True)),
                ('trouble', models.CharField(blank=True, max_length=250)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='robot_lease_single')],
            },
        ),
        migrations.CreateModel(
            name='BrowserPhone',
            fields=[
                ('channel', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('caller', models.CharField(blank=True, max_length=120)),
                ('state', models.CharField(choices=[('planned', 'набираем'), ('ringing', 'звонит'), ('up', 'на линии'), ('ended', 'завершён')], default='ringing', max_length=8)),
                ('clip', models.CharField(blank=True, max_length=40)),
                ('clip_no', models.PositiveSmallIntegerField(default=0)),
                ('talking', models.BooleanField(default=False)),
                ('changed_at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='browser_phones', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'ended'), _negated=True), fields=['user'], name='browser_phone_live')],
            },
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['step_due_at'], name='call_step'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['clinic', '-started_at'], name='call_clinic_time'),
        ),
        migrations.AddIndex(
            model_name='leg',
            index=models.Index(condition=models.Q(('state__in', ('planned', 'ringing', 'up'))), fields=['state'], name='leg_live'),
        ),
        migrations.AddConstraint(
            model_name='leg',
            constraint=models.UniqueConstraint(condition=models.Q(('role', 'patient'), ('state__in', ('planned', 'ringing', 'up'))), fields=('number',), name='leg_one_per_patient'),
        ),
        migrations.AddConstraint(
            model_name='leg',
            constraint=models.UniqueConstraint(condition=models.Q(('role', 'employee'), ('state__in', ('planned', 'ringing', 'up')), ('user__isnull', False)), fields=('user',), name='leg_one_per_employee'),
        ),
        migrations.AddConstraint(
            model_name='leg',
            constraint=models.UniqueConstraint(condition=models.Q(('role', 'employee'), ('state__in', ['planned', 'ringing']), ('user__isnull', True), models.Q(('number', ''), _negated=True)), fields=('number',), name='leg_one_ring_per_number'),
        ),
        migrations.AddIndex(
            model_name='linkedrecording',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='linked_recording_due'),
        ),
        migrations.AddIndex(
            model_name='linkedrecording',
            index=models.Index(condition=models.Q(('claimed_at__isnull', False)), fields=['claimed_at'], name='linked_recording_claimed'),
        ),
        migrations.AddConstraint(
            model_name='linkedrecording',
            constraint=models.UniqueConstraint(fields=('interaction', 'url'), name='linked_recording_once'),
        ),
        migrations.AddIndex(
            model_name='pbxcommand',
            index=models.Index(condition=models.Q(('state__in', ['pending', 'taken'])), fields=['id'], name='command_pending'),
        ),
        migrations.AddIndex(
            model_name='pbxcommand',
            index=models.Index(condition=models.Q(('ref', ''), _negated=True), fields=['ref'], name='command_ref'),
        ),
        migrations.AddIndex(
            model_name='pbxcommand',
            index=models.Index(condition=models.Q(('state', 'done'), ('verb', 'record')), fields=['done_at'], name='command_recorded'),
        ),
        migrations.AddIndex(
            model_name='pbxwebhook',
            index=models.Index(condition=models.Q(('done_at__isnull', True)), fields=['received_at'], name='pbx_webhook_open'),
        ),
        migrations.AddConstraint(
            model_name='pbxwebhook',
            constraint=models.UniqueConstraint(fields=('vendor', 'session', 'event', 'happened'), name='pbx_webhook_once'),
        ),
        migrations.AddConstraint(
            model_name='phonebinding',
            constraint=models.UniqueConstraint(fields=('user', 'on'), name='phone_binding_day'),
        ),
    ]
