from django.apps import AppConfig


class B2CProceduresConfig(AppConfig):
    name = "b2c_procedures"
    verbose_name = "Процедуры B2C"

    def ready(self) -> None:
        """The packaged procedures are held to the rules at every start: a broken file stops the
        product, not a client.
        """
        from b2c_procedures.definition import packaged
        from b2c_procedures.linting import demand
        from b2c_procedures.steps.action_names import ACTION_NAMES

        demand(packaged(), actions=ACTION_NAMES)
