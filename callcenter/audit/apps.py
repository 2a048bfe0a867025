from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "callcenter.audit"
    label = "audit"
    verbose_name = "журнал действий"
