from django.apps import AppConfig


class B2CProceduresConfig(AppConfig):
    name = "b2c_procedures"
    verbose_name = "Процедуры B2C"
