import callcenter.messaging.models
import django.contrib.postgres.fields
import django.db.models.constraints
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
            name='Provider',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True, verbose_name='название')),
                ('kind', models.CharField(choices=[('simulator', 'simulator'), ('kannel', 'kannel'), ('edna', 'edna'), ('smtp', 'smtp')], max_length=12, verbose_name='вид')),
                ('channels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('max', 'MAX'), ('whatsapp', 'WhatsApp'), ('telegram', 'Telegram'), ('viber', 'Viber'), ('vk', 'VK'), ('sms', 'СМС'), ('email', 'e-mail')], max_length=10), default=list, size=None, verbose_name='каналы')),
                ('settings', models.JSONField(blank=True, default=dict, verbose_name='настройки')),
                ('secret', models.CharField(default=callcenter.messaging.models._secret, editable=False, max_length=64)),
                ('per_second', models.FloatField(blank=True, null=True, verbose_name='не больше сообщений в секунду')),
                ('price', models.DecimalField(decimal_places=2, default=0, max_digits=8, verbose_name='цена одной части, ₽')),
                ('is_active', models.BooleanField(default=True, verbose_name='работает')),
                ('next_slot_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('paused_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('last_error', models.CharField(blank=True, editable=False, max_length=250)),
            ],
            options={
                'verbose_name': 'шлюз',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=60, unique=True)),
                ('purpose', models.CharField(max_length=20)),
                ('subject_key', models.CharField(max_length=40)),
                ('version', models.PositiveIntegerField(default=1)),
                ('channel', models.CharField(choices=[('max', 'MAX'), ('whatsapp', 'WhatsApp'), ('telegram', 'Telegram'), ('viber', 'Viber'), ('vk', 'VK'), ('sms', 'СМС'), ('email', 'e-mail')], max_length=10)),
                ('repeat', models.PositiveSmallIntegerField(default=0)),
                ('ground', models.CharField(choices=[('service', 'о своём визите'), ('advertising', 'реклама и приглашения')], default='service', max_length=12)),
                ('to_staff', models.BooleanField(default=False)),
                ('to', models.CharField(max_length=254, verbose_name='кому')),
                ('subject', models.CharField(blank=True, max_length=200, verbose_name='тема')),
                ('text', models.TextField(verbose_name='текст')),
                ('files', models.JSONField(blank=True, default=list)),
                ('parts', models.PositiveSmallIntegerField(default=1)),
                ('state', models.CharField(choices=[('queued', 'в очереди'), ('sending', 'отправляется'), ('accepted', 'принято к отправке'), ('delivered', 'доставлено'), ('read', 'прочитано'), ('undelivered', 'не доставлено'), ('refused', 'не отправлено'), ('cancelled', 'отменено'), ('unknown', 'неизвестно, ушло ли')], default='queued', max_length=11)),
                ('reason', models.CharField(blank=True, max_length=250, verbose_name='почему')),
                ('due_at', models.DateTimeField()),
                ('not_after', models.DateTimeField(null=True)),
                ('claimed_at', models.DateTimeField(null=True)),
                ('attempted_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('asks', models.PositiveSmallIntegerField(default=0)),
                ('fallback_at', models.DateTimeField(null=True)),
                ('given_up', models.BooleanField(default=False)),
                ('position', models.PositiveSmallIntegerField(null=True)),
                ('provider_ref', models.CharField(blank=True, max_length=120)),
                ('accepted_at', models.DateTimeField(null=True)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('read_at', models.DateTimeField(null=True)),
                ('failed_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('appointment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='clinics.appointment')),
                ('clinic', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='clinics.clinic')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='clinics.patient')),
                ('provider', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.provider')),
            ],
            options={
                'verbose_name': 'сообщение',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='ChatMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=60)),
                ('name', models.CharField(blank=True, max_length=80)),
                ('channel', models.CharField(choices=[('max', 'MAX'), ('whatsapp', 'WhatsApp'), ('telegram', 'Telegram'), ('viber', 'Viber'), ('vk', 'VK'), ('sms', 'СМС'), ('email', 'e-mail')], max_length=10)),
                ('direction', models.CharField(choices=[('in', 'нам звонят'), ('out', 'мы звоним')], max_length=3)),
                ('text', models.TextField()),
                ('at', models.DateTimeField()),
                ('external_id', models.CharField(blank=True, max_length=120)),
                ('intent', models.CharField(blank=True, choices=[('coming', 'приду'), ('late', 'буду позже'), ('cancel', 'отмените'), ('move', 'перенесите'), ('who', 'кто это?'), ('unclear', 'прочитайте сами')], max_length=8)),
                ('accepted', models.CharField(blank=True, choices=[('coming', 'приду'), ('late', 'буду позже'), ('cancel', 'отмените'), ('move', 'перенесите'), ('who', 'кто это?'), ('unclear', 'прочитайте сами')], max_length=8)),
                ('accepted_at', models.DateTimeField(null=True)),
                ('accepted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('accepted_for', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='clinics.appointment')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinics.clinic')),
                ('interaction', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chat_messages', to='contacts.interaction')),
                ('patient', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='chat_messages', to='clinics.patient')),
                ('message', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='chat_messages', to='messaging.message')),
                ('provider', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.provider')),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='CascadeStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(verbose_name='порядок')),
                ('channel', models.CharField(choices=[('max', 'MAX'), ('whatsapp', 'WhatsApp'), ('telegram', 'Telegram'), ('viber', 'Viber'), ('vk', 'VK'), ('sms', 'СМС'), ('email', 'e-mail')], max_length=10, verbose_name='канал')),
                ('wait_minutes', models.PositiveSmallIntegerField(default=20, verbose_name='ждать доставки, минут')),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cascade', to='clinics.clinic')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.provider', verbose_name='шлюз')),
            ],
            options={
                'ordering': ['clinic', 'position'],
            },
        ),
        migrations.CreateModel(
            name='ProviderWebhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('received_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('method', models.CharField(max_length=8)),
                ('path', models.CharField(max_length=300)),
                ('query', models.TextField(blank=True)),
                ('headers', models.JSONField(default=dict)),
                ('body', models.BinaryField(blank=True)),
                ('claimed_at', models.DateTimeField(null=True)),
                ('absorbed_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('last_error', models.CharField(blank=True, max_length=250)),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='messaging.provider')),
            ],
        ),
        migrations.CreateModel(
            name='VisitLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.CharField(default=callcenter.messaging.models._token, max_length=32, unique=True)),
                ('version', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField()),
                ('opened_at', models.DateTimeField(null=True)),
                ('answer', models.CharField(blank=True, choices=[('confirm', 'подтвердил приём'), ('move', 'просит перенести'), ('cancel', 'отменяет приём')], max_length=8)),
                ('answered_at', models.DateTimeField(null=True)),
                ('answered_via', models.CharField(blank=True, max_length=8)),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='clinics.appointment')),
            ],
        ),
        migrations.CreateModel(
            name='VisitEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('answer', models.CharField(blank=True, choices=[('confirm', 'подтвердил приём'), ('move', 'просит перенести'), ('cancel', 'отменяет приём')], max_length=8)),
                ('via', models.CharField(max_length=8)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='messaging.visitlink')),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='MessageTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(default='Уведомление о приёме', max_length=80, verbose_name='шаблон')),
                ('form', models.CharField(choices=[('messenger', 'для мессенджера'), ('sms', 'для СМС')], max_length=10, verbose_name='вид')),
                ('text', models.TextField(verbose_name='текст')),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='templates', to='clinics.clinic', verbose_name='клиника')),
            ],
            options={
                'ordering': ['name', 'form', 'clinic'],
                'constraints': [models.UniqueConstraint(fields=('name', 'form', 'clinic'), name='template_version_once', nulls_distinct=False)],
            },
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['provider', 'due_at'], name='message_due'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('state', 'sending')), fields=['claimed_at'], name='message_leased'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('asks__lt', 5), ('state__in', ['accepted', 'unknown'])), fields=['provider', 'due_at'], name='message_ask'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('fallback_at__isnull', False)), fields=['fallback_at'], name='message_fallback'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['appointment'], name='message_appointment'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['to', '-created_at'], name='message_to'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'sending'), _negated=True), ('claimed_at__isnull', False), _connector='OR'), name='message_sending_is_claimed'),
        ),
        migrations.AddIndex(
            model_name='chatmessage',
            index=models.Index(fields=['interaction', 'at'], name='chat_interaction'),
        ),
        migrations.AddIndex(
            model_name='chatmessage',
            index=models.Index(fields=['number', '-at'], name='chat_number'),
        ),
        migrations.AddConstraint(
            model_name='chatmessage',
            constraint=models.UniqueConstraint(condition=models.Q(('external_id', ''), _negated=True), fields=('provider', 'external_id'), name='chat_external_once'),
        ),
        migrations.AddConstraint(
            model_name='cascadestep',
            constraint=models.UniqueConstraint(fields=('clinic', 'channel'), name='cascade_channel_once'),
        ),
        migrations.AddConstraint(
            model_name='cascadestep',
            constraint=models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['DEFERRED'], fields=('clinic', 'position'), name='cascade_position_once'),
        ),
        migrations.AddIndex(
            model_name='providerwebhook',
            index=models.Index(condition=models.Q(('absorbed_at__isnull', True)), fields=['due_at'], name='call_due'),
        ),
        migrations.AddIndex(
            model_name='providerwebhook',
            index=models.Index(condition=models.Q(('absorbed_at__isnull', False)), fields=['absorbed_at'], name='call_absorbed'),
        ),
        migrations.AddConstraint(
            model_name='visitlink',
            constraint=models.UniqueConstraint(fields=('appointment', 'version'), name='link_version_once'),
        ),
        migrations.AddIndex(
            model_name='visitevent',
            index=models.Index(fields=['link', 'at'], name='visit_event_link'),
        ),
    ]
