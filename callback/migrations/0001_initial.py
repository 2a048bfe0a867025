import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('clinics', '0001_initial'),
        ('contacts', '0001_initial'),
        ('telephony', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CallbackRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(blank=True, max_length=120, verbose_name='номер у источника')),
                ('name', models.CharField(max_length=150, verbose_name='как зовут пациента')),
                ('number', models.CharField(max_length=16, verbose_name='телефон')),
                ('doctor_words', models.CharField(blank=True, max_length=150)),
                ('service_words', models.CharField(blank=True, max_length=150)),
                ('window_lost', models.BooleanField(default=False, verbose_name='выбранное время занято')),
                ('wished', models.CharField(blank=True, max_length=120, verbose_name='когда удобно')),
                ('comment', models.TextField(blank=True, verbose_name='комментарий')),
                ('state', models.CharField(choices=[('waiting', 'ждёт попытки'), ('ringing', 'звоним администратору'), ('asking', 'просим нажать клавишу'), ('speaking', 'читаем заявку'), ('choosing', 'ждём вторую клавишу'), ('dialling', 'звоним пациенту'), ('talking', 'разговор'), ('telling', 'сообщаем администратору'), ('later', 'позже: укажите когда'), ('paused', 'на паузе: закрыть или продолжить?'), ('people', 'взял человек'), ('escalated', 'передана людям'), ('done', 'разговор состоялся'), ('closed', 'закрыта'), ('joined', 'присоединена к другой')], default='waiting', max_length=10)),
                ('asked_at', models.DateTimeField(verbose_name='пришла')),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('first_try_at', models.DateTimeField(blank=True, null=True)),
                ('until', models.DateTimeField(blank=True, null=True, verbose_name='робот пробует до')),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.CharField(blank=True, max_length=250, verbose_name='чем закончилась')),
                ('is_closed_by_key', models.BooleanField(default=False)),
                ('is_closed_automatically', models.BooleanField(default=False)),
                ('pause_reason', models.CharField(blank=True, max_length=250)),
                ('ignore_talks_before', models.DateTimeField(blank=True, null=True)),
                ('dials', models.PositiveSmallIntegerField(default=0, verbose_name='звонков пациенту')),
                ('sms_at', models.DateTimeField(blank=True, null=True)),
                ('details_at', models.DateTimeField(blank=True, null=True)),
                ('letter_at', models.DateTimeField(blank=True, null=True)),
                ('connected_on', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='поговорили с попытки')),
                ('connected_at', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.CharField(blank=True, max_length=250)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='callback_requests', to='clinics.clinic', verbose_name='клиника')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('doctor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinics.doctor', verbose_name='врач')),
                ('holder', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='у кого')),
                ('interaction', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='callback_request', to='contacts.interaction')),
                ('joined_to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='joined', to='callback.callbackrequest')),
                ('patient', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='callback_requests', to='clinics.patient', verbose_name='пациент')),
                ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinics.service', verbose_name='услуга')),
                ('window', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='clinics.schedulewindow')),
            ],
            options={
                'verbose_name': 'заявка на обратный звонок',
                'ordering': ['-asked_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='RequestLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('event', models.CharField(blank=True, choices=[('start', 'пора звонить'), ('nobody', 'звонить некому'), ('pbx_away', 'нет связи с АТС'), ('speech_failed', 'робот не может говорить'), ('window_over', 'прошло 2,5 часа'), ('silence', 'попытка пропала'), ('booked', 'пациент уже записан'), ('forbidden', 'пациент просил не звонить'), ('patient_called_in', 'пациент звонил сам'), ('patient_in_call', 'с пациентом уже говорят'), ('admin_answered', 'администратор снял трубку'), ('admin_failed', 'администратор не ответил, звоним следующему'), ('admins_exhausted', 'никто не ответил'), ('hours_over', 'время для звонков кончилось'), ('admin_gone', 'администратор повесил трубку'), ('key', 'нажата клавиша'), ('no_key', 'клавиша не нажата'), ('speech_ended', 'заявка прочитана'), ('chose_connect', 'соединять'), ('chose_booked', 'клавиша 2: уже записан'), ('chose_later', 'клавиша 3: позже'), ('chose_not_ours', 'клавиша 4: не наш'), ('patient_answered', 'пациент ответил'), ('patient_failed', 'пациент не ответил'), ('patient_last_failed', 'пациент не ответил в последний раз'), ('talked', 'поговорили'), ('talked_short', 'разговор 10 секунд или короче'), ('talk_lost', 'неизвестно, поговорили ли'), ('told', 'администратору сказано'), ('call_now', 'звонить сейчас'), ('take', 'взять себе'), ('stop', 'остановить робота'), ('mark_done', 'отметить итог'), ('continue', 'продолжить'), ('postpone', 'перенести на время'), ('undo', 'вернуть в работу'), ('join', 'повторная заявка')], max_length=20)),
                ('before', models.CharField(blank=True, choices=[('waiting', 'ждёт попытки'), ('ringing', 'звоним администратору'), ('asking', 'просим нажать клавишу'), ('speaking', 'читаем заявку'), ('choosing', 'ждём вторую клавишу'), ('dialling', 'звоним пациенту'), ('talking', 'разговор'), ('telling', 'сообщаем администратору'), ('later', 'позже: укажите когда'), ('paused', 'на паузе: закрыть или продолжить?'), ('people', 'взял человек'), ('escalated', 'передана людям'), ('done', 'разговор состоялся'), ('closed', 'закрыта'), ('joined', 'присоединена к другой')], max_length=10)),
                ('after', models.CharField(blank=True, choices=[('waiting', 'ждёт попытки'), ('ringing', 'звоним администратору'), ('asking', 'просим нажать клавишу'), ('speaking', 'читаем заявку'), ('choosing', 'ждём вторую клавишу'), ('dialling', 'звоним пациенту'), ('talking', 'разговор'), ('telling', 'сообщаем администратору'), ('later', 'позже: укажите когда'), ('paused', 'на паузе: закрыть или продолжить?'), ('people', 'взял человек'), ('escalated', 'передана людям'), ('done', 'разговор состоялся'), ('closed', 'закрыта'), ('joined', 'присоединена к другой')], max_length=10)),
                ('text', models.CharField(blank=True, max_length=300)),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='callback.callbackrequest')),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='RequestSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True, verbose_name='название')),
                ('code', models.SlugField(max_length=30, unique=True, verbose_name='код')),
                ('spoken', models.CharField(help_text='«Заявка на запись с …»', max_length=80, verbose_name='как произносит робот')),
                ('key_digest', models.CharField(max_length=64, unique=True)),
                ('key_tail', models.CharField(max_length=6, verbose_name='конец ключа')),
                ('secret', models.CharField(max_length=64)),
                ('is_active', models.BooleanField(default=True, verbose_name='принимаем')),
                ('created_at', models.DateTimeField()),
                ('clinics', models.ManyToManyField(related_name='request_sources', to='clinics.clinic', verbose_name='клиники')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.AddField(
            model_name='callbackrequest',
            name='source',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='callback.requestsource'),
        ),
        migrations.CreateModel(
            name='CallbackAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('result', models.CharField(blank=True, choices=[('start', 'пора звонить'), ('nobody', 'звонить некому'), ('pbx_away', 'нет связи с АТС'), ('speech_failed', 'робот не может говорить'), ('window_over', 'прошло 2,5 часа'), ('silence', 'попытка пропала'), ('booked', 'пациент уже записан'), ('forbidden', 'пациент просил не звонить'), ('patient_called_in', 'пациент звонил сам'), ('patient_in_call', 'с пациентом уже говорят'), ('admin_answered', 'администратор снял трубку'), ('admin_failed', 'администратор не ответил, звоним следующему'), ('admins_exhausted', 'никто не ответил'), ('hours_over', 'время для звонков кончилось'), ('admin_gone', 'администратор повесил трубку'), ('key', 'нажата клавиша'), ('no_key', 'клавиша не нажата'), ('speech_ended', 'заявка прочитана'), ('chose_connect', 'соединять'), ('chose_booked', 'клавиша 2: уже записан'), ('chose_later', 'клавиша 3: позже'), ('chose_not_ours', 'клавиша 4: не наш'), ('patient_answered', 'пациент ответил'), ('patient_failed', 'пациент не ответил'), ('patient_last_failed', 'пациент не ответил в последний раз'), ('talked', 'поговорили'), ('talked_short', 'разговор 10 секунд или короче'), ('talk_lost', 'неизвестно, поговорили ли'), ('told', 'администратору сказано'), ('call_now', 'звонить сейчас'), ('take', 'взять себе'), ('stop', 'остановить робота'), ('mark_done', 'отметить итог'), ('continue', 'продолжить'), ('postpone', 'перенести на время'), ('undo', 'вернуть в работу'), ('join', 'повторная заявка')], max_length=20)),
                ('note', models.CharField(blank=True, max_length=250)),
                ('call', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='callback_attempt', to='telephony.call')),
                ('employee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='callback.callbackrequest')),
            ],
            options={
                'ordering': ['number'],
                'constraints': [models.UniqueConstraint(fields=('request', 'number'), name='callback_attempt_number'), models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('request',), name='callback_attempt_one_live')],
            },
        ),
        migrations.CreateModel(
            name='CallbackSettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_on', models.BooleanField(default=True, verbose_name='робот звонит')),
                ('night_start', models.CharField(choices=[('opening', 'в час открытия клиники'), ('nine', 'в 9:00')], default='opening', help_text='«обратный звонок сработает на следующий рабочий день с 9 утра или в час открытия клиники»', max_length=8, verbose_name='ночные заявки — когда звонить')),
                ('redial_minutes', models.PositiveSmallIntegerField(default=5, help_text='«с периодичностью каждые 5 минут»', verbose_name='пауза между попытками, минут')),
                ('window_minutes', models.PositiveSmallIntegerField(default=150, help_text='«в течение 2,5 часов»', verbose_name='сколько пробовать, минут рабочего времени')),
                ('ring_seconds', models.PositiveSmallIntegerField(default=25, verbose_name='звоним одному администратору, секунд')),
                ('key_seconds', models.PositiveSmallIntegerField(default=15, verbose_name='ждём клавишу, секунд')),
                ('patient_seconds', models.PositiveSmallIntegerField(default=40, verbose_name='звоним пациенту, секунд')),
                ('talk_seconds', models.PositiveSmallIntegerField(default=10, help_text='«разговор должен длиться больше 10 секунд»', verbose_name='разговор состоялся, если длиннее, секунд')),
                ('patient_tries', models.PositiveSmallIntegerField(default=4, verbose_name='не больше попыток пациенту')),
                ('is_dialling_after_sms', models.BooleanField(default=False, help_text='Как в инструкции: «продолжает дозваниваться в течение нескольких часов»', verbose_name='звонить пациенту и после СМС')),
                ('has_second_key', models.BooleanField(default=True, verbose_name='вторая клавиша: 2 уже записан, 3 позже, 4 не наш')),
                ('choice_seconds', models.PositiveSmallIntegerField(default=3, verbose_name='ждём вторую клавишу, секунд')),
                ('hold_minutes', models.PositiveSmallIntegerField(default=180, verbose_name='придерживать окно РТЗ, минут')),
                ('is_recording_on', models.BooleanField(default=False, verbose_name='записывать разговоры')),
                ('recording_notice', models.CharField(blank=True, default='Разговор записывается.', max_length=200, verbose_name='предупреждение о записи')),
                ('prompt', models.CharField(default='Здравствуйте. Есть заявка на обратный звонок. Нажмите любую клавишу, если готовы говорить с пациентом.', max_length=200, verbose_name='просьба нажать клавишу')),
                ('sms_text', models.CharField(default='Клиника не смогла до вас дозвониться по заявке с сайта {источник}. Пожалуйста, перезвоните по номеру: {телефон}', help_text='Слова инструкции; {источник} и {телефон} подставятся', max_length=300, verbose_name='СМС пациенту')),
                ('clinic', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='callback_settings', to='clinics.clinic')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('redial_minutes__gte', 1)), name='callback_redial_min'), models.CheckConstraint(condition=models.Q(('window_minutes__gte', models.F('redial_minutes'))), name='callback_window_min')],
            },
        ),
        migrations.AddIndex(
            model_name='callbackrequest',
            index=models.Index(condition=models.Q(('claimed_at__isnull', True), ('due_at__isnull', False)), fields=['due_at'], name='callback_due'),
        ),
        migrations.AddIndex(
            model_name='callbackrequest',
            index=models.Index(condition=models.Q(('claimed_at__isnull', False)), fields=['claimed_at'], name='callback_claimed'),
        ),
        migrations.AddIndex(
            model_name='callbackrequest',
            index=models.Index(condition=models.Q(('state__in', ['waiting', 'ringing', 'asking', 'speaking', 'choosing', 'dialling', 'talking', 'telling', 'later', 'paused', 'people', 'escalated'])), fields=['clinic', 'due_at'], name='callback_open'),
        ),
        migrations.AddIndex(
            model_name='callbackrequest',
            index=models.Index(fields=['number', '-asked_at'], name='callback_number'),
        ),
        migrations.AddIndex(
            model_name='callbackrequest',
            index=models.Index(fields=['clinic', '-asked_at'], name='callback_clinic_time'),
        ),
        migrations.AddConstraint(
            model_name='callbackrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('external_id', ''), _negated=True), fields=('source', 'external_id'), name='callback_request_source'),
        ),
    ]
