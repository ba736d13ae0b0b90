"""What Django is told of the outbox."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """It has a migration, and no models."""

    name = "ajo_producers.outbox.django"
    label = "ajo_outbox"
    verbose_name = "ajo-dispatch outbox"
