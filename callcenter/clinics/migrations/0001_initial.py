import datetime
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from callcenter.clinics.migrations import _name_words, _patients_of_a_clinic


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Service',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=150, unique=True, verbose_name='услуга')),
                ('minutes', models.PositiveSmallIntegerField(default=30, verbose_name='минут')),
                ('price', models.DecimalField(blank=True, decimal_places=2, max_digits=10, null=True, verbose_name='цена, ₽')),
                ('is_active', models.BooleanField(default=True, verbose_name='оказывается')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Specialty',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='специальность')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Clinic',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, unique=True, verbose_name='название')),
                ('zone', models.CharField(choices=[('Europe/Kaliningrad', 'Калининград (МСК−1)'), ('Europe/Moscow', 'Москва (МСК)'), ('Europe/Samara', 'Самара (МСК+1)'), ('Asia/Yekaterinburg', 'Екатеринбург (МСК+2)'), ('Asia/Omsk', 'Омск (МСК+3)'), ('Asia/Novosibirsk', 'Новосибирск (МСК+4)'), ('Asia/Irkutsk', 'Иркутск (МСК+5)'), ('Asia/Yakutsk', 'Якутск (МСК+6)'), ('Asia/Vladivostok', 'Владивосток (МСК+7)'), ('Asia/Magadan', 'Магадан (МСК+8)'), ('Asia/Kamchatka', 'Камчатка (МСК+9)')], default='Europe/Moscow', max_length=40, verbose_name='часовой пояс')),
                ('address', models.CharField(blank=True, max_length=250, verbose_name='адрес')),
                ('phone', models.CharField(blank=True, help_text='E.164', max_length=16, verbose_name='телефон')),
                ('site', models.URLField(blank=True, verbose_name='сайт')),
                ('reception_email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail регистратуры')),
                ('responsible_emails', django.contrib.postgres.fields.ArrayField(base_field=models.EmailField(max_length=254), blank=True, default=list, help_text='через запятую', size=None, verbose_name='e-mail ответственных')),
                ('observes_holidays', models.BooleanField(default=True, verbose_name='не работает в праздники России')),
                ('calls_from', models.TimeField(default=datetime.time(9, 0), verbose_name='звонки с')),
                ('calls_to', models.TimeField(default=datetime.time(20, 0), verbose_name='звонки до')),
                ('calls_dayoff_from', models.TimeField(default=datetime.time(10, 0), verbose_name='звонки в выходные с')),
                ('calls_dayoff_to', models.TimeField(default=datetime.time(19, 0), verbose_name='звонки в выходные до')),
                ('messages_from', models.TimeField(default=datetime.time(8, 0), verbose_name='сообщения с')),
                ('messages_to', models.TimeField(default=datetime.time(21, 0), verbose_name='сообщения до')),
                ('source_id', models.CharField(blank=True, max_length=60)),
                ('staff', models.ManyToManyField(blank=True, related_name='clinics', to=settings.AUTH_USER_MODEL, verbose_name='сотрудники')),
            ],
            options={
                'verbose_name': 'клиника',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Appointment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField(verbose_name='начало')),
                ('ends_at', models.DateTimeField(verbose_name='конец')),
                ('status', models.CharField(choices=[('scheduled', 'запланирован'), ('confirmed', 'подтверждён'), ('arrived', 'пришёл'), ('completed', 'состоялся'), ('cancelled', 'отменён'), ('no_show', 'не пришёл')], default='scheduled', max_length=10)),
                ('version', models.PositiveIntegerField(default=1)),
                ('money', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='сумма, ₽')),
                ('comment', models.TextField(blank=True, verbose_name='комментарий')),
                ('cancel_reason', models.CharField(blank=True, max_length=250, verbose_name='причина отмены')),
                ('created_at', models.DateTimeField(verbose_name='записан')),
                ('changed_at', models.DateTimeField()),
                ('source', models.CharField(default='dozvon', max_length=40, verbose_name='откуда')),
                ('source_id', models.CharField(blank=True, max_length=60)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='clinics.clinic')),
            ],
            options={
                'verbose_name': 'приём',
                'ordering': ['starts_at'],
            },
        ),
        migrations.CreateModel(
            name='Doctor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('full_name', models.CharField(max_length=150, verbose_name='ФИО')),
                ('source_id', models.CharField(blank=True, max_length=60, verbose_name='код в системе расписания')),
                ('is_active', models.BooleanField(default=True, verbose_name='принимает')),
                ('clinics', models.ManyToManyField(related_name='doctors', to='clinics.clinic', verbose_name='клиники')),
                ('user', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='doctor', to=settings.AUTH_USER_MODEL, verbose_name='логин')),
                ('specialty', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='doctors', to='clinics.specialty', verbose_name='специальность')),
            ],
            options={
                'ordering': ['full_name'],
            },
        ),
        migrations.CreateModel(
            name='AppointmentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(max_length=20)),
                ('version', models.PositiveIntegerField()),
                ('starts_at_before', models.DateTimeField(null=True)),
                ('starts_at_after', models.DateTimeField(null=True)),
                ('status_before', models.CharField(blank=True, max_length=10)),
                ('status_after', models.CharField(blank=True, choices=[('scheduled', 'запланирован'), ('confirmed', 'подтверждён'), ('arrived', 'пришёл'), ('completed', 'состоялся'), ('cancelled', 'отменён'), ('no_show', 'не пришёл')], max_length=10)),
                ('reason', models.CharField(blank=True, max_length=250)),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='clinics.appointment')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('doctor_before', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinics.doctor')),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='appointment',
            name='doctor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='clinics.doctor'),
        ),
        migrations.CreateModel(
            name='LegalBasis',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('service', 'о своём визите'), ('advertising', 'реклама и приглашения')], max_length=12, verbose_name='цель')),
                ('basis', models.CharField(max_length=250, verbose_name='основание')),
                ('since', models.DateField(verbose_name='с какого дня')),
                ('until', models.DateField(blank=True, null=True, verbose_name='по какой день')),
                ('source', models.CharField(blank=True, max_length=120, verbose_name='источник')),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='grounds', to='clinics.clinic')),
            ],
        ),
        migrations.CreateModel(
            name='Patient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last_name', models.CharField(max_length=80, verbose_name='фамилия')),
                ('first_name', models.CharField(blank=True, max_length=80, verbose_name='имя')),
                ('middle_name', models.CharField(blank=True, max_length=80, verbose_name='отчество')),
                ('birth_date', models.DateField(blank=True, null=True, verbose_name='дата рождения')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('zone', models.CharField(blank=True, choices=[('Europe/Kaliningrad', 'Калининград (МСК−1)'), ('Europe/Moscow', 'Москва (МСК)'), ('Europe/Samara', 'Самара (МСК+1)'), ('Asia/Yekaterinburg', 'Екатеринбург (МСК+2)'), ('Asia/Omsk', 'Омск (МСК+3)'), ('Asia/Novosibirsk', 'Новосибирск (МСК+4)'), ('Asia/Irkutsk', 'Иркутск (МСК+5)'), ('Asia/Yakutsk', 'Якутск (МСК+6)'), ('Asia/Vladivostok', 'Владивосток (МСК+7)'), ('Asia/Magadan', 'Магадан (МСК+8)'), ('Asia/Kamchatka', 'Камчатка (МСК+9)')], help_text='если известен', max_length=40, verbose_name='часовой пояс')),
                ('do_not_call', models.BooleanField(default=False, verbose_name='не звонить')),
                ('do_not_call_since', models.DateTimeField(blank=True, null=True)),
                ('do_not_call_reason', models.CharField(blank=True, max_length=250, verbose_name='почему не звонить')),
                ('note', models.TextField(blank=True, verbose_name='заметка')),
                ('source_id', models.CharField(blank=True, max_length=60, verbose_name='код в картотеке')),
                ('sort_key', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Trim(models.Func(django.db.models.functions.text.Replace(django.db.models.functions.text.Lower(models.Func(models.Func(models.F('last_name'), models.Value(' '), models.F('first_name'), arg_joiner=' || ', output_field=models.CharField(), template='(%(expressions)s)'), models.Value(' '), models.F('middle_name'), arg_joiner=' || ', output_field=models.CharField(), template='(%(expressions)s)')), models.Value('ё'), models.Value('е')), models.Value('[^[:alnum:]]+'), models.Value(' '), models.Value('g'), function='regexp_replace', output_field=models.CharField())), output_field=models.CharField(max_length=250))),
                ('first_name_key', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Trim(models.Func(django.db.models.functions.text.Replace(django.db.models.functions.text.Lower(models.Func(models.Func(models.F('first_name'), models.Value(' '), models.F('last_name'), arg_joiner=' || ', output_field=models.CharField(), template='(%(expressions)s)'), models.Value(' '), models.F('middle_name'), arg_joiner=' || ', output_field=models.CharField(), template='(%(expressions)s)')), models.Value('ё'), models.Value('е')), models.Value('[^[:alnum:]]+'), models.Value(' '), models.Value('g'), function='regexp_replace', output_field=models.CharField())), output_field=models.CharField(max_length=250))),
                ('middle_name_key', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Trim(models.Func(django.db.models.functions.text.Replace(django.db.models.functions.text.Lower(models.Func(models.Func(models.F('middle_name'), models.Value(' '), models.F('last_name'), arg_joiner=' || ', output_field=models.CharField(), template='(%(expressions)s)'), models.Value(' '), models.F('first_name'), arg_joiner=' || ', output_field=models.CharField(), template='(%(expressions)s)')), models.Value('ё'), models.Value('е')), models.Value('[^[:alnum:]]+'), models.Value(' '), models.Value('g'), function='regexp_replace', output_field=models.CharField())), output_field=models.CharField(max_length=250))),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('clinics', models.ManyToManyField(related_name='patients', to='clinics.clinic', verbose_name='посещает')),
            ],
            options={
                'verbose_name': 'пациент',
                'ordering': ['sort_key'],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('service', 'о своём визите'), ('advertising', 'реклама и приглашения')], max_length=12, verbose_name='цель')),
                ('channel', models.CharField(choices=[('call', 'звонок человека'), ('robot', 'автоматический звонок'), ('sms', 'СМС'), ('messenger', 'мессенджер'), ('email', 'e-mail')], max_length=10, verbose_name='канал')),
                ('granted', models.BooleanField(verbose_name='согласен')),
                ('at', models.DateTimeField(verbose_name='когда')),
                ('source', models.CharField(max_length=200, verbose_name='источник')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='clinics.patient')),
            ],
            options={
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.AddField(
            model_name='appointment',
            name='patient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='clinics.patient'),
        ),
        migrations.CreateModel(
            name='PatientNameWord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.PositiveSmallIntegerField(choices=[(1, 'фамилия'), (2, 'имя'), (3, 'отчество')])),
                ('key', models.CharField(help_text="the word, then the card's sort_key", max_length=330)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='words', to='clinics.patient')),
            ],
        ),
        migrations.CreateModel(
            name='PatientPhone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(help_text='E.164', max_length=16, verbose_name='телефон')),
                ('reversed_digits', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Reverse(django.db.models.functions.text.Replace(models.F('number'), models.Value('+'))), output_field=models.CharField(max_length=16))),
                ('label', models.CharField(blank=True, max_length=60, verbose_name='чей')),
                ('is_main', models.BooleanField(default=False, verbose_name='основной')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='phones', to='clinics.patient')),
            ],
            options={
                'ordering': ['-is_main', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='ScheduleWindow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('free', 'свободно'), ('held', 'придержано'), ('taken', 'занято'), ('closed', 'снято с расписания')], default='free', max_length=6)),
                ('held_until', models.DateTimeField(blank=True, null=True)),
                ('held_for', models.CharField(blank=True, max_length=120)),
                ('source_id', models.CharField(blank=True, max_length=60)),
                ('appointment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='windows', to='clinics.appointment')),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='windows', to='clinics.clinic')),
                ('doctor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='windows', to='clinics.doctor')),
            ],
            options={
                'ordering': ['starts_at'],
            },
        ),
        migrations.AddField(
            model_name='appointment',
            name='service',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='clinics.service'),
        ),
        migrations.CreateModel(
            name='SpecialDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField(verbose_name='день')),
                ('opens', models.TimeField(blank=True, null=True, verbose_name='открывается')),
                ('closes', models.TimeField(blank=True, null=True, verbose_name='закрывается')),
                ('reason', models.CharField(blank=True, max_length=120, verbose_name='почему')),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='special_days', to='clinics.clinic')),
            ],
            options={
                'ordering': ['on'],
            },
        ),
        migrations.AddField(
            model_name='service',
            name='specialty',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='services', to='clinics.specialty'),
        ),
        migrations.CreateModel(
            name='WaitingListEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('waiting_list', 'лист ожидания'), ('remind_later', 'напомнить позже'), ('earlier', 'хочет раньше')], default='waiting_list', max_length=12, verbose_name='вид')),
                ('call_on', models.DateField(verbose_name='когда позвонить')),
                ('comment', models.TextField(verbose_name='комментарий')),
                ('state', models.CharField(choices=[('open', 'открыта'), ('closed', 'закрыта')], default='open', max_length=6)),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('close_reason', models.CharField(blank=True, max_length=250, verbose_name='чем закончилось')),
                ('appointment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='waiting_list', to='clinics.appointment')),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waiting_list', to='clinics.clinic')),
                ('closed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('doctor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='clinics.doctor')),
                ('opened_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='кто позвонит')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waiting_list', to='clinics.patient')),
                ('specialty', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='clinics.specialty')),
            ],
            options={
                'verbose_name': 'запись листа ожидания',
                'ordering': ['call_on', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='OpeningHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(verbose_name='день недели')),
                ('opens', models.TimeField(verbose_name='открывается')),
                ('closes', models.TimeField(verbose_name='закрывается')),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='opening_hours', to='clinics.clinic')),
            ],
            options={
                'ordering': ['weekday'],
                'constraints': [models.UniqueConstraint(fields=('clinic', 'weekday'), name='opening_hours_weekday'), models.CheckConstraint(condition=models.Q(('weekday__lte', 6)), name='opening_hours_weekday_of_week'), models.CheckConstraint(condition=models.Q(('closes__gt', models.F('opens'))), name='opening_hours_order')],
            },
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(condition=models.Q(('birth_date__isnull', False)), fields=['birth_date'], name='patient_birth'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['sort_key', 'id'], name='patient_last'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['first_name_key', 'id'], name='patient_first'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['middle_name_key', 'id'], name='patient_middle'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.UniqueConstraint(condition=models.Q(('source_id', ''), _negated=True), fields=('source_id',), name='patient_source'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(fields=['patient', 'purpose', 'channel', '-at'], name='consent_newest'),
        ),
        migrations.AddIndex(
            model_name='patientnameword',
            index=models.Index(fields=['part', 'key', 'patient'], name='patient_word'),
        ),
        migrations.AddIndex(
            model_name='patientphone',
            index=models.Index(fields=['number'], name='phone_number'),
        ),
        migrations.AddIndex(
            model_name='patientphone',
            index=models.Index(fields=['reversed_digits'], name='phone_reversed'),
        ),
        migrations.AddConstraint(
            model_name='patientphone',
            constraint=models.UniqueConstraint(fields=('patient', 'number'), name='patient_phone_once'),
        ),
        migrations.AddIndex(
            model_name='schedulewindow',
            index=models.Index(condition=models.Q(('state__in', ['free', 'held'])), fields=['doctor', 'starts_at'], name='window_open'),
        ),
        migrations.AddConstraint(
            model_name='schedulewindow',
            constraint=models.UniqueConstraint(fields=('doctor', 'starts_at', 'clinic'), name='window_once'),
        ),
        migrations.AddConstraint(
            model_name='schedulewindow',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='window_order'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(fields=['doctor', 'starts_at'], name='appointment_doctor_time'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(fields=['clinic', 'starts_at'], name='appointment_clinic_time'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(fields=['patient', '-starts_at'], name='appointment_patient_time'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(fields=['changed_at'], name='appointment_changed'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(condition=models.Q(('source_id', ''), _negated=True), fields=('source', 'source_id'), name='appointment_source'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='appointment_order'),
        ),
        migrations.AddConstraint(
            model_name='specialday',
            constraint=models.UniqueConstraint(fields=('clinic', 'on'), name='special_day_once'),
        ),
        migrations.AddConstraint(
            model_name='specialday',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closes__isnull', True), ('opens__isnull', True)), ('closes__gt', models.F('opens')), _connector='OR'), name='special_day_order'),
        ),
        migrations.AddConstraint(
            model_name='doctor',
            constraint=models.UniqueConstraint(condition=models.Q(('source_id', ''), _negated=True), fields=('source_id',), name='doctor_source'),
        ),
        migrations.AddIndex(
            model_name='waitinglistentry',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['clinic', 'call_on'], name='waiting_open'),
        ),
        migrations.AddIndex(
            model_name='waitinglistentry',
            index=models.Index(fields=['patient'], name='waiting_patient'),
        ),
        migrations.RunSQL(_patients_of_a_clinic.FORWARDS, _patients_of_a_clinic.BACKWARDS),
        migrations.RunSQL(_name_words.FORWARDS, _name_words.BACKWARDS),
    ]
