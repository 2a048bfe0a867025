from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "callcenter.messaging"
    label = "messaging"
    verbose_name = "сообщения"
