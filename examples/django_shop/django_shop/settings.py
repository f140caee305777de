"""The settings of the shop; what differs between installations comes from the environment."""

import os
from pathlib import Path

HOME = Path(__file__).parent.parent
SECRET_KEY = os.environ.get("SHOP_SECRET_KEY", "for trying it out only")
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
ROOT_URLCONF = "django_shop.urls"
INSTALLED_APPS = ["orders"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SHOP_DATABASE", str(HOME / "shop.db")),
        "OPTIONS": {
            "timeout": 10,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
        },
    }
}

ORDERTRAIL_URL = os.environ.get("ORDERTRAIL_URL", "http://127.0.0.1:8000")
ORDERTRAIL_TOKEN = os.environ.get("ORDERTRAIL_TOKEN", "")
