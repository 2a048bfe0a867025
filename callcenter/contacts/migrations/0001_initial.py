import callcenter.contacts.models
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('assignments', '0001_initial'),
        ('clinics', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ContactPolicy',
            fields=[
                ('clinic', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='contact_policy', serialize=False, to='clinics.clinic')),
                ('comment_minutes', models.PositiveSmallIntegerField(default=5, help_text='«Комментарий соединяется со звонком по трём параметрам: время (5 минут по умолчанию)…»', verbose_name='комментарий соединяется со звонком, ± минут')),
                ('result_minutes', models.PositiveSmallIntegerField(default=15, help_text='«…в течение 15 минут от звонка совершает действие»', verbose_name='действие после звонка из списка — его результат, минут')),
                ('overdue_days', models.PositiveSmallIntegerField(default=7, help_text='«Просроченные заявки (становятся таковыми через полные 7 суток, включая сегодня)»', verbose_name='заявка просрочена через, полных суток')),
            ],
            options={
                'verbose_name': 'правила истории обращений',
            },
        ),
        migrations.CreateModel(
            name='DirectoryNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=16, unique=True, verbose_name='номер')),
                ('name', models.CharField(max_length=120, verbose_name='чей')),
                ('caller_type', models.CharField(choices=[('employee', 'Сотрудник'), ('other', 'Прочие и контрагенты')], default='other', max_length=14, verbose_name='кто')),
            ],
            options={
                'verbose_name': 'номер справочника',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Reason',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='причина')),
                ('uses', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('unreached', 'не дозвонились'), ('thinking', 'думает, не знает, когда удобно'), ('refused', 'отказался'), ('not_booked', 'не записался (входящие)')], max_length=12), default=list, size=None, verbose_name='где предлагать')),
                ('is_active', models.BooleanField(default=True, verbose_name='показывать')),
                ('position', models.PositiveSmallIntegerField(default=100, verbose_name='порядок')),
            ],
            options={
                'verbose_name': 'причина',
                'ordering': ['position', 'name'],
            },
        ),
        migrations.CreateModel(
            name='Topic',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='тема')),
                ('is_active', models.BooleanField(default=True, verbose_name='показывать')),
            ],
            options={
                'verbose_name': 'тема разговора',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='AdChannel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='канал')),
                ('is_active', models.BooleanField(default=True, verbose_name='показывать')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='contacts.adchannel', verbose_name='входит в')),
            ],
            options={
                'verbose_name': 'рекламный канал',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='ChannelRecount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateField(verbose_name='с')),
                ('until', models.DateField(verbose_name='по')),
                ('state', models.CharField(choices=[('waiting', 'ждёт'), ('running', 'идёт'), ('done', 'готово'), ('failed', 'не вышло')], default='waiting', max_length=8)),
                ('done', models.PositiveIntegerField(default=0, verbose_name='проверено')),
                ('total', models.PositiveIntegerField(default=0, verbose_name='всего')),
                ('changed', models.PositiveIntegerField(default=0, verbose_name='изменилось')),
                ('reached_id', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(null=True)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.CharField(blank=True, max_length=250)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='clinics.clinic', verbose_name='клиника')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='ChannelRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('utm', 'UTM-метка'), ('number_from', 'номер, с которого позвонили'), ('number_to', 'номер, на который позвонили'), ('chat_channel', 'канал чата'), ('account', 'личный кабинет или сервис')], max_length=12, verbose_name='по чему')),
                ('pattern', models.CharField(help_text='UTM: utm_source=yandex&utm_campaign=*; номер: +79000000001; * — что угодно', max_length=200, verbose_name='значение')),
                ('position', models.PositiveSmallIntegerField(default=100, verbose_name='порядок')),
                ('is_active', models.BooleanField(default=True, verbose_name='действует')),
                ('channel', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='contacts.adchannel', verbose_name='канал')),
            ],
            options={
                'verbose_name': 'правило канала',
                'ordering': ['kind', 'position', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Contact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField(verbose_name='день')),
                ('number', models.CharField(blank=True, max_length=16, verbose_name='номер')),
                ('person_key', models.CharField(max_length=100)),
                ('is_ambiguous', models.BooleanField(default=False, verbose_name='у номера несколько пациентов')),
                ('caller_type', models.CharField(choices=[('wants_booking', 'Пациент. Хочет записаться'), ('waiting_list', 'Пациент. Лист ожидания'), ('crm_task', 'Пациент. Задача CRM'), ('reminder', 'Пациент. Напоминание'), ('conversation', 'Разговор с пациентом'), ('employee', 'Сотрудник'), ('other', 'Прочие и контрагенты'), ('unknown', 'Не определён')], default='unknown', max_length=14, verbose_name='Кто, тип')),
                ('is_first_time', models.BooleanField(default=False, verbose_name='первичный')),
                ('direction', models.CharField(choices=[('in', 'нам звонят'), ('out', 'мы звоним')], default='in', max_length=3, verbose_name='признак')),
                ('outcome', models.CharField(choices=[('not_booked', 'Не записался'), ('booked', 'Записался'), ('waiting', 'Записался в лист ожидания'), ('cancelled', 'Отменил'), ('came', 'Записался и пришёл'), ('requests', 'Заявки (Актуальные)')], default='not_booked', max_length=10, verbose_name='успешность')),
                ('line', models.CharField(blank=True, max_length=40, verbose_name='наша линия')),
                ('contact_type', models.CharField(blank=True, choices=[('call_in', 'Входящий звонок'), ('call_in_noted', 'Входящий звонок с комментарием'), ('call_in_missed', 'Входящий звонок. Пропущенный'), ('call_in_live', 'Входящий звонок. Идёт сейчас'), ('call_out', 'Исходящий звонок'), ('call_out_noted', 'Исходящий звонок с комментарием'), ('call_out_failed', 'Исходящий звонок. Не дозвонились'), ('call_out_live', 'Исходящий звонок. Идёт сейчас'), ('chat_in', 'Входящий чат'), ('chat_in_noted', 'Входящий чат с комментарием'), ('chat_in_missed', 'Входящий чат. Пропущенный'), ('chat_in_live', 'Входящий чат. Активный'), ('chat_out', 'Исходящий чат'), ('chat_out_noted', 'Исходящий чат с комментарием'), ('chat_out_live', 'Исходящий чат. Активный'), ('request_new', 'Заявка. Необработанная'), ('request_done', 'Заявка. Обработанная'), ('req_dialog_new', 'Заявка-диалог. Необработанная'), ('req_dialog_done', 'Заявка-диалог. Закрытая'), ('dialog', 'Диалог'), ('comment_in', 'Комментарий без звонка (входящий)'), ('comment_out', 'Комментарий без звонка (исходящий)')], max_length=16, verbose_name='с чего началось')),
                ('contact_types', models.IntegerField(default=0, help_text='bits of states.BIT_OF')),
                ('started_at', models.DateTimeField(verbose_name='начало')),
                ('last_at', models.DateTimeField(verbose_name='последнее событие')),
                ('start_hour', models.PositiveSmallIntegerField(default=0, verbose_name='час начала в клинике')),
                ('interaction_count', models.PositiveIntegerField(default=0, verbose_name='записей')),
                ('overdue_on', models.DateField(blank=True, null=True, verbose_name='с какого дня просрочена заявка')),
                ('money', models.DecimalField(decimal_places=2, default=0, max_digits=12, verbose_name='сумма состоявшихся приёмов, ₽')),
                ('wait_seconds', models.PositiveIntegerField(default=0, verbose_name='ожидание, с')),
                ('wait_count', models.PositiveIntegerField(default=0)),
                ('talk_seconds', models.PositiveIntegerField(default=0, verbose_name='длительность, с')),
                ('talk_count', models.PositiveIntegerField(default=0)),
                ('results_count', models.PositiveSmallIntegerField(default=0, verbose_name='записей пациента')),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.CharField(blank=True, max_length=250)),
                ('channel', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.adchannel')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='contacts', to='clinics.clinic')),
                ('owner', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='contacts', to='clinics.patient')),
            ],
            options={
                'verbose_name': 'обращение',
                'ordering': ['-started_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='ContactResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('booked', 'записан на приём'), ('moved', 'приём перенесён'), ('cancelled', 'приём отменён'), ('waiting_list', 'внесён в лист ожидания'), ('waiting_closed', 'лист ожидания закрыт'), ('waiting_moved', 'лист ожидания перенесён'), ('task', 'поставлена задача'), ('task_closed', 'задача закрыта'), ('reminded', 'оповещён о приёме'), ('note', 'отметка')], max_length=14)),
                ('origin', models.CharField(blank=True, max_length=14, verbose_name='из какого списка')),
                ('at', models.DateTimeField()),
                ('note', models.CharField(blank=True, max_length=250)),
                ('source_key', models.CharField(blank=True, max_length=60)),
                ('subject_changed_at', models.DateTimeField(blank=True, null=True)),
                ('is_by_hand', models.BooleanField(default=False)),
                ('appointment', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='contact_results', to='clinics.appointment')),
                ('by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinics.clinic')),
                ('contact', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='results', to='contacts.contact')),
                ('patient', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinics.patient')),
                ('task', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='contact_results', to='assignments.task')),
                ('waiting', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='contact_results', to='clinics.waitinglistentry')),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='contact',
            name='main_result',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='contacts.contactresult'),
        ),
        migrations.CreateModel(
            name='Interaction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('call', 'звонок'), ('chat', 'чат'), ('request', 'заявка'), ('dialog', 'диалог'), ('request_dialog', 'заявка-диалог'), ('comment', 'комментарий')], max_length=14)),
                ('state', models.CharField(choices=[('ringing', 'звонит'), ('talking', 'разговор'), ('answered', 'состоялся'), ('missed', 'пропущен'), ('failed', 'не дозвонились'), ('active', 'активный'), ('closed', 'закрыт'), ('new', 'не обработана'), ('processed', 'обработана'), ('finished', 'завершён')], max_length=9)),
                ('direction', models.CharField(choices=[('in', 'нам звонят'), ('out', 'мы звоним')], default='in', max_length=3)),
                ('at', models.DateTimeField(verbose_name='когда')),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('is_patient_given', models.BooleanField(default=False)),
                ('number', models.CharField(blank=True, max_length=16, verbose_name='номер клиента')),
                ('client', models.CharField(blank=True, max_length=80, verbose_name='клиент в чате')),
                ('line', models.CharField(blank=True, max_length=40, verbose_name='наша линия')),
                ('account', models.CharField(blank=True, max_length=80, verbose_name='личный кабинет или сервис')),
                ('chat_channel', models.CharField(blank=True, max_length=40, verbose_name='канал чата')),
                ('wait_seconds', models.PositiveIntegerField(blank=True, null=True, verbose_name='ожидание')),
                ('talk_seconds', models.PositiveIntegerField(blank=True, null=True, verbose_name='длительность')),
                ('summary', models.CharField(blank=True, choices=[('booked', 'Записался на консультацию'), ('no_result', 'Просто позвонил без результата'), ('question', 'Задал вопрос'), ('cancelled', 'Отменил или перенёс приём')], max_length=10, verbose_name='итог')),
                ('comment', models.TextField(blank=True, verbose_name='комментарий')),
                ('is_recall', models.BooleanField(default=False, verbose_name='КОС')),
                ('caller_type_given', models.CharField(blank=True, choices=[('wants_booking', 'Пациент. Хочет записаться'), ('waiting_list', 'Пациент. Лист ожидания'), ('crm_task', 'Пациент. Задача CRM'), ('reminder', 'Пациент. Напоминание'), ('conversation', 'Разговор с пациентом'), ('employee', 'Сотрудник'), ('other', 'Прочие и контрагенты'), ('unknown', 'Не определён')], max_length=14, verbose_name='кто (указал сотрудник)')),
                ('origin', models.CharField(blank=True, choices=[('waiting_list', 'лист ожидания'), ('crm_task', 'задача CRM'), ('reminder', 'напоминание о приёме')], max_length=14, verbose_name='из какого списка')),
                ('utm', models.JSONField(blank=True, default=dict)),
                ('referrer', models.CharField(blank=True, max_length=500)),
                ('contact_type', models.CharField(blank=True, choices=[('call_in', 'Входящий звонок'), ('call_in_noted', 'Входящий звонок с комментарием'), ('call_in_missed', 'Входящий звонок. Пропущенный'), ('call_in_live', 'Входящий звонок. Идёт сейчас'), ('call_out', 'Исходящий звонок'), ('call_out_noted', 'Исходящий звонок с комментарием'), ('call_out_failed', 'Исходящий звонок. Не дозвонились'), ('call_out_live', 'Исходящий звонок. Идёт сейчас'), ('chat_in', 'Входящий чат'), ('chat_in_noted', 'Входящий чат с комментарием'), ('chat_in_missed', 'Входящий чат. Пропущенный'), ('chat_in_live', 'Входящий чат. Активный'), ('chat_out', 'Исходящий чат'), ('chat_out_noted', 'Исходящий чат с комментарием'), ('chat_out_live', 'Исходящий чат. Активный'), ('request_new', 'Заявка. Необработанная'), ('request_done', 'Заявка. Обработанная'), ('req_dialog_new', 'Заявка-диалог. Необработанная'), ('req_dialog_done', 'Заявка-диалог. Закрытая'), ('dialog', 'Диалог'), ('comment_in', 'Комментарий без звонка (входящий)'), ('comment_out', 'Комментарий без звонка (исходящий)')], max_length=16, verbose_name='тип обращения')),
                ('caller_type', models.CharField(choices=[('wants_booking', 'Пациент. Хочет записаться'), ('waiting_list', 'Пациент. Лист ожидания'), ('crm_task', 'Пациент. Задача CRM'), ('reminder', 'Пациент. Напоминание'), ('conversation', 'Разговор с пациентом'), ('employee', 'Сотрудник'), ('other', 'Прочие и контрагенты'), ('unknown', 'Не определён')], default='unknown', max_length=14, verbose_name='Кто, тип')),
                ('returned_at', models.DateTimeField(blank=True, null=True)),
                ('returned_by', models.CharField(blank=True, choices=[('in', 'нам звонят'), ('out', 'мы звоним')], max_length=3)),
                ('source', models.CharField(default='hand', max_length=40, verbose_name='откуда')),
                ('source_id', models.CharField(blank=True, max_length=120)),
                ('created_at', models.DateTimeField()),
                ('channel', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.adchannel')),
                ('channel_rule', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='contacts.channelrule')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinics.clinic')),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='interactions', to='contacts.contact')),
                ('created_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('employee', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='interactions', to=settings.AUTH_USER_MODEL)),
                ('handled_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='handled', to='contacts.interaction')),
                ('joined_call', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='notes', to='contacts.interaction')),
                ('patient', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='interactions', to='clinics.patient')),
                ('shown_employee', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reason', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.reason')),
                ('shown_topic', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.topic')),
                ('topic', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.topic')),
            ],
            options={
                'verbose_name': 'запись обращения',
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='contactresult',
            name='interaction',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='results', to='contacts.interaction'),
        ),
        migrations.CreateModel(
            name='ChatLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('direction', models.CharField(choices=[('in', 'нам звонят'), ('out', 'мы звоним')], max_length=3)),
                ('author', models.CharField(blank=True, max_length=120)),
                ('text', models.TextField()),
                ('source_id', models.CharField(blank=True, max_length=120)),
                ('interaction', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chat_lines', to='contacts.interaction')),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Recording',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file', models.FileField(max_length=200, upload_to=callcenter.contacts.models.recording_path)),
                ('mime', models.CharField(default='audio/wav', max_length=40)),
                ('seconds', models.FloatField(default=0, verbose_name='длительность, с')),
                ('transcript', models.JSONField(blank=True, default=list)),
                ('source_id', models.CharField(blank=True, max_length=120)),
                ('created_at', models.DateTimeField()),
                ('interaction', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recordings', to='contacts.interaction')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='SourceKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='латиницей: site, uis, max-bot', max_length=40, unique=True, verbose_name='источник')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('tail', models.CharField(max_length=6, verbose_name='конец ключа')),
                ('created_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='отозван')),
                ('last_used_on', models.DateField(blank=True, null=True, verbose_name='последний день работы')),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='source_keys', to='clinics.clinic', verbose_name='клиника')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'ключ источника',
                'ordering': ['name'],
            },
        ),
        migrations.AddField(
            model_name='contact',
            name='topic',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.topic'),
        ),
        migrations.AddConstraint(
            model_name='adchannel',
            constraint=models.UniqueConstraint(fields=('parent', 'name'), name='ad_channel_once', nulls_distinct=False),
        ),
        migrations.AddIndex(
            model_name='channelrecount',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='recount_due'),
        ),
        migrations.AddIndex(
            model_name='contactresult',
            index=models.Index(condition=models.Q(('appointment__isnull', False)), fields=['appointment'], name='result_appointment'),
        ),
        migrations.AddIndex(
            model_name='contactresult',
            index=models.Index(condition=models.Q(('waiting__isnull', False)), fields=['waiting'], name='result_waiting'),
        ),
        migrations.AddIndex(
            model_name='contactresult',
            index=models.Index(condition=models.Q(('task__isnull', False)), fields=['task'], name='result_task'),
        ),
        migrations.AddIndex(
            model_name='contactresult',
            index=models.Index(condition=models.Q(('contact__isnull', True)), fields=['patient', 'at'], name='result_loose'),
        ),
        migrations.AddIndex(
            model_name='contactresult',
            index=models.Index(condition=models.Q(('contact__isnull', True)), fields=['clinic', '-at'], name='result_loose_clinic'),
        ),
        migrations.AddConstraint(
            model_name='contactresult',
            constraint=models.UniqueConstraint(condition=models.Q(('source_key', ''), _negated=True), fields=('source_key',), name='result_source_key'),
        ),
        migrations.AddConstraint(
            model_name='chatline',
            constraint=models.UniqueConstraint(condition=models.Q(('source_id', ''), _negated=True), fields=('interaction', 'source_id'), name='chat_line_source'),
        ),
        migrations.AddConstraint(
            model_name='recording',
            constraint=models.UniqueConstraint(condition=models.Q(('source_id', ''), _negated=True), fields=('interaction', 'source_id'), name='recording_source'),
        ),
        migrations.AddIndex(
            model_name='interaction',
            index=models.Index(fields=['clinic', '-at', '-id'], name='interaction_clinic_time'),
        ),
        migrations.AddIndex(
            model_name='interaction',
            index=models.Index(condition=models.Q(('joined_call__isnull', True)), fields=['at', 'id'], include=('clinic', 'contact', 'caller_type', 'contact_type', 'shown_employee', 'shown_topic', 'channel', 'wait_seconds', 'talk_seconds'), name='interaction_report'),
        ),
        migrations.AddIndex(
            model_name='interaction',
            index=models.Index(condition=models.Q(('number', ''), _negated=True), fields=['number', '-at'], name='interaction_number'),
        ),
        migrations.AddIndex(
            model_name='interaction',
            index=models.Index(condition=models.Q(('patient__isnull', False)), fields=['patient', '-at'], name='interaction_patient'),
        ),
        migrations.AddIndex(
            model_name='interaction',
            index=models.Index(condition=models.Q(('joined_call__isnull', False)), fields=['joined_call'], name='interaction_bound'),
        ),
        migrations.AddIndex(
            model_name='interaction',
            index=models.Index(condition=models.Q(('kind', 'call'), ('state', 'missed')), fields=['clinic', '-at'], name='interaction_missed'),
        ),
        migrations.AddIndex(
            model_name='interaction',
            index=models.Index(condition=models.Q(('state__in', ['new', 'ringing', 'talking', 'active'])), fields=['clinic', 'at'], name='interaction_open'),
        ),
        migrations.AddConstraint(
            model_name='interaction',
            constraint=models.UniqueConstraint(condition=models.Q(('source_id', ''), _negated=True), fields=('source', 'source_id'), name='interaction_source'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['on', 'started_at', 'id'], include=('clinic', 'caller_type', 'is_first_time', 'topic', 'owner', 'outcome', 'channel', 'line', 'contact_type', 'contact_types', 'start_hour', 'overdue_on', 'money', 'wait_seconds', 'wait_count', 'talk_seconds', 'talk_count'), name='contact_report'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['patient', '-started_at'], name='contact_patient_time'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('patient__isnull', True), models.Q(('number', ''), _negated=True)), fields=['on', 'number'], name='contact_unknown'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='contact_due'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('overdue_on__isnull', False)), fields=['clinic', 'overdue_on'], name='contact_requests'),
        ),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.UniqueConstraint(fields=('clinic', 'on', 'person_key'), name='contact_person_day'),
        ),
    ]
