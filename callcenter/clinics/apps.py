from django.apps import AppConfig


class ClinicsConfig(AppConfig):
    name = "callcenter.clinics"
    label = "clinics"
    verbose_name = "клиники"
