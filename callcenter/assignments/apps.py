from django.apps import AppConfig


class AssignmentsConfig(AppConfig):
    name = "callcenter.assignments"
    label = "assignments"
    verbose_name = "задачи"
