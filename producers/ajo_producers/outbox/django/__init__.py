"""The outbox as an application of Django: put ``ajo_producers.outbox.django`` into ``INSTALLED_APPS``, and migrate."""
