"""The shop's settings: of the outbox there is one line."""

import os
from urllib.parse import urlsplit

_database = urlsplit(os.environ["SHOP_DATABASE_URL"])

SECRET_KEY = os.environ.get("SHOP_SECRET_KEY", "for-development-only")
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
ROOT_URLCONF = "shop.urls"
USE_TZ = True
INSTALLED_APPS = [
    "shop",
    "ajo_producers.outbox.django",  # its migration makes the table
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": _database.username,
        "PASSWORD": _database.password,
        "HOST": _database.hostname,
        "PORT": _database.port,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
