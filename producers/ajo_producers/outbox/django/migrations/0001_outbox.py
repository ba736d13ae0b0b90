"""The outbox's table."""

from django.db import migrations

from ajo_producers.outbox.django.operations import CreateOutbox


class Migration(migrations.Migration):
    """Depends on nothing: the table refers to none of yours."""

    initial = True
    operations = (CreateOutbox(),)
