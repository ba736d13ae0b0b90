"""A worker's Celery application: ``celery -A ajo_worker.app worker`` starts a worker with all that it needs."""

from celery.signals import setup_logging

from ajo_worker.intake.application import make_app
from ajo_worker.logs import configure_logs
from ajo_worker.settings import settings


@setup_logging.connect  # type: ignore[untyped-decorator] # Celery ships no types
def _set_up_logs(**_: object) -> None:
    configure_logs(settings().log_level, settings().log_format)


app = make_app(settings())
