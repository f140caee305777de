"""Settings of the Django peer; the database is named by `PEER_DATABASE_URL`."""

import os
from urllib.parse import urlsplit

_ADDRESS = urlsplit(os.environ["PEER_DATABASE_URL"])
_SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": _ADDRESS.path,
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
    },
}
_POSTGRESQL = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": _ADDRESS.path.removeprefix("/"),
    "HOST": _ADDRESS.hostname,
    "PORT": _ADDRESS.port,
    "USER": _ADDRESS.username,
}

DATABASES = {"default": _SQLITE if _ADDRESS.scheme == "sqlite" else _POSTGRESQL}
DATABASES["default"]["CONN_MAX_AGE"] = None
INSTALLED_APPS = ["bench.peers.drf"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "bench.peers.drf.urls"
WSGI_APPLICATION = "bench.peers.drf.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "of a benchmark"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING_CONFIG = None
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["bench.peers.drf.keys.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["bench.peers.drf.keys.HasKey"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "bench.peers.drf.negotiation.AlwaysJson",
    "UNAUTHENTICATED_USER": None,
}
