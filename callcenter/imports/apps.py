from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "callcenter.imports"
    label = "imports"
    verbose_name = "импорт"
