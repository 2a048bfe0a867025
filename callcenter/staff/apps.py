from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "callcenter.staff"
    label = "staff"
    verbose_name = "сотрудники"
