"""What the head of service may set for the procedures; one row for the whole service."""

from django.db import models


class ProcedureSettings(models.Model):
    team_name = models.CharField(
        "от чьего лица ведутся чаты",
        max_length=80,
        default="Команда Геномед",
        help_text="«диалог в чате ведется от лица “Команды Геномед”» (приложение № 1)",
    )
    amber_percent = models.PositiveSmallIntegerField(
        "таймер желтеет, когда прошло, % норматива",
        default=70,
        help_text="красным он становится на 100 %",
    )
    first_answer_seconds = models.PositiveIntegerField(
        "первый ответ в чате, секунд",
        default=60,
        help_text="«в течение 1 (одной) минуты после поступления обращения»",
    )
    result_date_seconds = models.PositiveIntegerField(
        "проверка срока заключения, секунд",
        default=300,
        help_text="«не позднее, чем в течение 5 (пяти) минут»",
    )
    consultant_minutes = models.PositiveIntegerField(
        "ответ врача-консультанта, минут",
        default=30,
        help_text="«в течение не более 30 (тридцати) минут»",
    )
    review_months = models.PositiveSmallIntegerField(
        "пересмотр процедуры, месяцев", default=12, help_text="«не реже 1 раза в 12 месяцев»"
    )
    claim_ways = models.TextField(
        "способы направить претензию",
        default="по эл. почте клиники\nзаказным письмом на юридический адрес\nлично в МО, под подпись администратора",
        help_text="по одному в строке",
    )
    payment_link = models.CharField(
        "ссылка на оплату", max_length=200, default="https://clinic.example/pay/{заказ}"
    )
    questionnaire_link = models.CharField(
        "ссылка на анкету", max_length=200, default="https://clinic.example/form/{заказ}"
    )
    doctors_link = models.CharField(
        "ссылка на врачей", max_length=200, default="https://clinic.example/doctors"
    )
    chat_link = models.CharField(
        "ссылка на чат", max_length=200, default="https://clinic.example/chat"
    )
    partner_email = models.EmailField(
        "e-mail для писем партнёрам", blank=True, default="partners@clinic.example"
    )

    class Meta:
        verbose_name = "настройки процедур"

    def __str__(self) -> str:
        return "Настройки процедур"

    @classmethod
    def present(cls) -> "ProcedureSettings":
        """The settings as they stand; defaults until somebody has saved any."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)
