from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "callcenter.contacts"
    label = "contacts"
    verbose_name = "обращения"
