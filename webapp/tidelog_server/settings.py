"""Every setting of the server. What differs between installations comes from the environment."""

import os
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from urllib.parse import urlsplit

import dj_database_url

from tidelog_server.core.logs import LOGGING as LOGGING
from tidelog_server.core.secrets import secret_key

PACKAGE = Path(__file__).parent
DATA_DIR = Path(os.environ.get("TIDELOG_DATA_DIR") or "~/.local/share/tidelog").expanduser()
DATABASE_URL = os.environ.get("DATABASE_URL", "")
REDIS_URL = os.environ.get("REDIS_URL", "")

# Absolute links are made from this and never from a request's Host header.
PUBLIC_URL = os.environ.get("TIDELOG_URL", "").rstrip("/")
_public = urlsplit(PUBLIC_URL)

DEBUG = False
# Whether /_ui shows every component of the interface; for its developers.
STORIES = os.environ.get("TIDELOG_STORIES", "") == "1"
SECRET_KEY = secret_key(DATA_DIR, given=os.environ.get("TIDELOG_SECRET_KEY", ""))
ALLOWED_HOSTS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    *([_public.hostname] if _public.hostname else []),
    *(h.strip() for h in os.environ.get("TIDELOG_ALLOWED_HOSTS", "").split(",") if h.strip()),
]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "drf_spectacular",
    "rest_framework",
    "tidelog_server.core",
    "tidelog_server.ui",
    "tidelog_server.accounts",
    "tidelog_server.metrics",
    "tidelog_server.tracking",
    "tidelog_server.runtable",
    "tidelog_server.live",
]
MIDDLEWARE = [
    "tidelog_server.core.requests.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "tidelog_server.core.middleware.ContentSecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tidelog_server.core.gate.GateMiddleware",
]
ROOT_URLCONF = "tidelog_server.urls"
ASGI_APPLICATION = "tidelog_server.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20

# A commit that was acknowledged must survive a power cut: hence FULL. IMMEDIATE takes the write
# lock when a transaction begins, so that it waits there (<= 5 s) instead of failing half-way.
SQLITE: dict[str, Any] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": DATA_DIR / "tidelog.sqlite3",
    "OPTIONS": {
        "timeout": 5,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=268435456;"
            "PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY"
        ),
    },
    # Tests use a file too: an in-memory database has no WAL and locks differently. Each process
    # has its own, so that two test runs do not meet in it.
    "TEST": {"NAME": Path(gettempdir()) / f"tidelog-test-{os.getpid()}.sqlite3"},
}
DATABASES: dict[str, Any] = {
    "default": {
        **(dj_database_url.parse(DATABASE_URL) if DATABASE_URL else SQLITE),
        "CONN_HEALTH_CHECKS": True,
    }
}

LOCAL_CACHE = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "local"}
CACHES: dict[str, Any] = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else LOCAL_CACHE
    ),
    "local": LOCAL_CACHE,
}
CHANNEL_LAYERS: dict[str, Any] = {
    "default": (
        {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": "tidelog"},
        }
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["tidelog_server.accounts.backends.EmailBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_MAX_LENGTH = 1024
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"

SESSION_COOKIE_NAME = "tidelog_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _public.scheme == "https"
CSRF_COOKIE_NAME = "tidelog_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
CSRF_FAILURE_VIEW = "tidelog_server.core.pages.csrf_failure"
if _public.scheme == "https":
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Hashed, compressed and immutable; collected into the data directory when the server starts, so
# that an installed wheel needs no writable site-packages.
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES: dict[str, Any] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(DATA_DIR / "files")},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tidelog_server.core.rest.GateAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["tidelog_server.core.rest.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["tidelog_server.core.rest.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "tidelog_server.core.rest.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Tidelog",
    "DESCRIPTION": "Runs, their metrics and their logs.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "tidelog_server.tracking.api.schema.add_ingest",
    ],
}

# What the run tables of a process may take in memory; the one asked last is kept, however large.
RUN_TABLE_BYTES = 256 * 2**20

# One request may inflate to this and no further (413).
INGEST_MAX_BODY = 16 * 2**20
INGEST_IDLE_SECONDS = 30.0

# With less than this left on the disk of an SQLite installation, ingest is refused (507) and all
# else goes on: people sign in, read and delete.
DISK_RESERVE = 64 * 2**20
