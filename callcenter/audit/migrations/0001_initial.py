import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('action', models.CharField(max_length=60)),
                ('object_kind', models.CharField(max_length=40)),
                ('object_id', models.BigIntegerField(null=True)),
                ('object_name', models.CharField(blank=True, max_length=200)),
                ('clinic_id', models.BigIntegerField(null=True)),
                ('patient_id', models.BigIntegerField(null=True)),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
                ('note', models.TextField(blank=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'indexes': [models.Index(fields=['-at', '-id'], name='audit_newest'), models.Index(fields=['object_kind', 'object_id'], name='audit_object'), models.Index(fields=['by', '-at', '-id'], name='audit_by'), models.Index(fields=['action', '-at', '-id'], name='audit_action'), models.Index(condition=models.Q(('patient_id__isnull', False)), fields=['patient_id', '-at'], name='audit_patient')],
            },
        ),
    ]
