from django.apps import AppConfig


class WorkbenchConfig(AppConfig):
    """The top of the project: it knows every app and hands each what the others contribute."""

    name = "callcenter.workbench"
    label = "workbench"
    verbose_name = "рабочее место"

    def ready(self) -> None:
        # Imported here, as it reads every app's models.
        from callcenter.workbench.registry import register_contributions

        register_contributions()
