"""The language that each person reads the console in, and is written to."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models


class ChosenLanguage(models.Model):
    """What a person chose. Who never chose has no row: the console then speaks as their browser asks."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    language = models.CharField(max_length=16, help_text="A code of LANGUAGES, such as `fr`.")

    def __str__(self) -> str:
        return f"{self.person_id}: {self.language}"


def language_of(person: User) -> str:
    """The language that a person chose; "" where they chose none, or one that is not offered any more. One statement."""
    chosen = ChosenLanguage.objects.filter(pk=person.pk).values_list("language", flat=True).first()
    return chosen if chosen in dict(settings.LANGUAGES) else ""


def keep_language(person: User, language: str) -> None:
    """Keeps what a person chose."""
    ChosenLanguage.objects.update_or_create(pk=person.pk, defaults={"language": language})
