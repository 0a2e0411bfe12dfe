"""All settings of Placet. Every environment variable is declared, with type and default, in the block below."""

import logging
import os
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import environ
import phonenumbers
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent


def flag(text: str) -> bool:
    """Yes or no; anything else is refused, because a mistyped "off" must not mean something else."""
    known = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}
    if text.strip().lower() not in known:
        raise ValueError("write on or off")
    return known[text.strip().lower()]


def whole(text: str) -> int:
    """A whole number from 1 on."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise ValueError("write a whole number from 1 on")
    return int(text)


def one_of(what: str, known: Any) -> Any:
    """One of the values in ``known``."""

    def cast(text: str) -> str:
        if text not in known:
            raise ValueError(f"write {what}")
        return text

    return cast


LANGUAGES = [
    ("en", _("English")),
    ("it", _("Italian")),
    ("de", _("German")),
    ("pt", _("Portuguese")),
    ("es", _("Spanish")),
    ("gl", _("Galician")),
    ("fr", _("French")),
]

env = environ.Env(
    # --- where and how it runs ---------------------------------------------------------------
    DEBUG=(flag, False),  # development only: readable errors, default secrets, fictional numbers
    SECRET_KEY=(str, ""),  # required when DEBUG is off
    SUPPRESSION_KEYS=(str, ""),  # required when DEBUG is off: "id:base64,id:base64", newest first
    ALLOWED_HOSTS=(list, []),  # required when DEBUG is off
    CSRF_TRUSTED_ORIGINS=(list, []),  # "https://placet.example.org"
    BEHIND_TLS_PROXY=(flag, True),  # trust X-Forwarded-Proto; redirect plain HTTP when DEBUG is off
    PORT=(whole, 8000),  # where the web server listens, on this machine only
    # --- services --------------------------------------------------------------------------------
    DATA_DIR=(str, str(BASE_DIR / "var")),  # SQLite file, broker folders, evidence, import files
    DATABASE_URL=(str, ""),  # empty: SQLite in DATA_DIR
    CELERY_BROKER_URL=(str, ""),  # empty: a folder in DATA_DIR, no server needed
    EMAIL_URL=(str, ""),  # where notes to officers go, such as "smtp://user:password@host:587"; empty: to the log
    DEFAULT_FROM_EMAIL=(str, "placet@localhost"),
    # --- gateways: those whose variables are set can be chosen at a sender -------------------------------
    PUBLIC_URL=(str, ""),  # how gateways reach us, such as "https://placet.example.org"
    KANNEL_URL=(str, ""),  # smsbox, such as "http://127.0.0.1:13013/cgi-bin/sendsms"
    KANNEL_USERNAME=(str, ""),
    KANNEL_PASSWORD=(str, ""),
    KANNEL_SECRET=(str, ""),  # part of the addresses Kannel calls: its calls carry no other authentication
    KANNEL_ADDRESSES=(list, ["127.0.0.1"]),  # from where Kannel may call: addresses or networks
    KANNEL_CALLBACK_URL=(str, ""),  # how Kannel reaches us, where that is not PUBLIC_URL: "http://127.0.0.1:8000"
    KANNEL_DEAD_NUMBERS=(list, []),  # error codes with which the carrier says that a number is out of service
    TWILIO_URL=(str, "https://api.twilio.com"),
    TWILIO_ACCOUNT_SID=(str, ""),
    TWILIO_AUTH_TOKEN=(str, ""),
    WEBHOOK_URL=(str, ""),  # a gateway of your own that takes signed JSON
    WEBHOOK_SECRET=(str, ""),  # signs both ways
    # --- the organisation -------------------------------------------------------------------------
    DEFAULT_COUNTRY=(
        one_of("a country code such as IT", phonenumbers.SUPPORTED_REGIONS),
        "IT",
    ),  # country of numbers typed without a prefix
    LANGUAGE_CODE=(one_of("one of en it de pt es gl fr", dict(LANGUAGES)), "en"),
    TIME_ZONE=(one_of("a time zone such as Europe/Rome", available_timezones()), "Europe/Rome"),
    # --- house rules (RULES: [H]) ------------------------------------------------------------------
    REQUEST_DAYS=(whole, 7),  # an unconfirmed yes waits this long (RULES §6.6)
    DISPATCH_LANES=(whole, 2),  # workers that send for one sender at the same time
    LEASE_SECONDS=(whole, 30),  # a sending worker that gives no sign of life for so long counts as dead
    CAMPAIGN_DAYS=(whole, 7),  # a text that had to wait longer since the launch is not sent any more
    RECEIPT_HOURS=(whole, 72),  # without a receipt for so long, a text counts as sent without one
    WELCOME_DAYS=(whole, 3),  # an opt-in older than this gets no opt-in confirmation when it is recorded
    CONVERSATION_HOURS=(whole, 24),  # staff may answer so long after a person's last text (RULES C10)
    CONVERSATION_DAYS=(whole, 7),  # and never longer than this after the first one (RULES C10)
    BRAKE_AFTER=(whole, 50),  # texts of a campaign before its opt-out rate can pause it
    ACCEPT_FICTIONAL_NUMBERS=(flag, None),  # ranges regulators reserve for films; default: only with DEBUG
    EVIDENCE_MAX_BYTES=(whole, 10 * 1024 * 1024),
    IMPORT_MAX_BYTES=(whole, 50 * 1024 * 1024),
    IMPORT_FILE_DAYS=(whole, 30),  # how long an import's file and its rejected rows are kept
    LOG_LEVEL=(one_of("one of DEBUG INFO WARNING ERROR", logging.getLevelNamesMapping()), "INFO"),
)
environ.Env.read_env(BASE_DIR / ".env")


def read(name: str) -> Any:
    """An environment variable in its declared type; an empty one counts as not set.

    Raises:
        ImproperlyConfigured: it is set to something that does not fit; the sentence names the variable.
    """
    if not os.environ.get(name, "").strip():
        return env.scheme[name][1]
    try:
        return env(name)
    except ValueError as error:
        raise ImproperlyConfigured(f"The environment variable {name} does not fit: {error}.") from None


# --- secrets: refuse to start without them, name what is missing ----------------------------------
DEBUG = read("DEBUG")
_missing = [name for name in ("SECRET_KEY", "SUPPRESSION_KEYS", "ALLOWED_HOSTS") if not read(name)]
if _missing and not DEBUG:
    raise ImproperlyConfigured(
        f"DEBUG is off and these environment variables are not set: {', '.join(_missing)}. "
        "Set them (docs/operations.md says how to make the keys), or set DEBUG=on for development."
    )
SECRET_KEY = read("SECRET_KEY") or "development-only-key-never-used-when-debug-is-off-7f3a"
SUPPRESSION_KEYS = read("SUPPRESSION_KEYS") or "dev1:ZGV2ZWxvcG1lbnQtb25seS1zdXBwcmVzc2lvbi1rZXk="
ALLOWED_HOSTS = read("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]", "testserver"]
CSRF_TRUSTED_ORIGINS = read("CSRF_TRUSTED_ORIGINS")

# --- the organisation, house rules -------------------------------------------------------------------
DEFAULT_COUNTRY = read("DEFAULT_COUNTRY")
ACCEPT_FICTIONAL_NUMBERS = DEBUG if read("ACCEPT_FICTIONAL_NUMBERS") is None else read("ACCEPT_FICTIONAL_NUMBERS")
PORT = read("PORT")
REQUEST_DAYS = read("REQUEST_DAYS")
EVIDENCE_MAX_BYTES = read("EVIDENCE_MAX_BYTES")
IMPORT_MAX_BYTES = read("IMPORT_MAX_BYTES")
IMPORT_FILE_DAYS = read("IMPORT_FILE_DAYS")
DISPATCH_LANES = read("DISPATCH_LANES")
LEASE_SECONDS = read("LEASE_SECONDS")
CAMPAIGN_DAYS = read("CAMPAIGN_DAYS")
RECEIPT_HOURS = read("RECEIPT_HOURS")
WELCOME_DAYS = read("WELCOME_DAYS")
CONVERSATION_HOURS = read("CONVERSATION_HOURS")
CONVERSATION_DAYS = read("CONVERSATION_DAYS")
BRAKE_AFTER = read("BRAKE_AFTER")

# --- gateways and notes to officers ----------------------------------------------------------------------
PUBLIC_URL = read("PUBLIC_URL").rstrip("/")
KANNEL_URL = read("KANNEL_URL")
KANNEL_USERNAME = read("KANNEL_USERNAME")
KANNEL_PASSWORD = read("KANNEL_PASSWORD")
KANNEL_SECRET = read("KANNEL_SECRET")
KANNEL_ADDRESSES = read("KANNEL_ADDRESSES")
KANNEL_CALLBACK_URL = read("KANNEL_CALLBACK_URL").rstrip("/")
KANNEL_DEAD_NUMBERS = read("KANNEL_DEAD_NUMBERS")
TWILIO_URL = read("TWILIO_URL").rstrip("/")
TWILIO_ACCOUNT_SID = read("TWILIO_ACCOUNT_SID")
TWILIO_AUTH_TOKEN = read("TWILIO_AUTH_TOKEN")
WEBHOOK_URL = read("WEBHOOK_URL")
WEBHOOK_SECRET = read("WEBHOOK_SECRET")
DEFAULT_FROM_EMAIL = read("DEFAULT_FROM_EMAIL")
vars().update(env.email_url_config(read("EMAIL_URL") or "consolemail://"))

# --- apps --------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "config.apps.PlacetAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "phonenumber_field",
    "simple_history",
    "axes",
    "csp",
    "consent.core",
    "consent.contacts",
    "consent.ledger",
    "consent.retention",
    "consent.subject_requests",
    "campaigns",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- data ----------------------------------------------------------------------------------------------
DATA_DIR = Path(read("DATA_DIR"))
_database = read("DATABASE_URL") or f"sqlite:///{DATA_DIR / 'placet.sqlite3'}"
if _database.partition("://")[0] not in ("postgres", "postgresql", "sqlite"):
    raise ImproperlyConfigured("DATABASE_URL must look like postgres://user:password@host:5432/name.")
DATABASES = {"default": env.db_url_config(_database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    # WAL and IMMEDIATE let several writers queue instead of failing (measured: docs/adr/0001).
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        transaction_mode="IMMEDIATE",
        timeout=30,
        # Without recursive triggers, REPLACE deletes a row without asking the triggers that guard it.
        # 16 MB of pages instead of 2: at a million contacts a job that writes is twice as fast.
        init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA recursive_triggers=ON;"
        " PRAGMA cache_size=-16000;",
    )
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = DATA_DIR / "private"  # evidence and import files; no URL leads here
MEDIA_URL = ""
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# --- language and time -----------------------------------------------------------------------------------
LANGUAGE_CODE = read("LANGUAGE_CODE")
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = read("TIME_ZONE")
USE_TZ = True
FORMAT_MODULE_PATH = "config.formats"


# --- people and their sessions ------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address"]
SESSION_COOKIE_AGE = 12 * 60 * 60

# --- web hardening -----------------------------------------------------------------------------------------
BEHIND_TLS_PROXY = read("BEHIND_TLS_PROXY")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
if not DEBUG:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^hooks/"]  # a gateway beside us calls without TLS, and a redirect loses its call
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    if BEHIND_TLS_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- numbers and history --------------------------------------------------------------------------------------
PHONENUMBER_DEFAULT_REGION = DEFAULT_COUNTRY
PHONENUMBER_DB_FORMAT = "E164"
PHONENUMBER_DEFAULT_FORMAT = "INTERNATIONAL"
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_ENFORCE_HISTORY_MODEL_PERMISSIONS = True
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True

# --- jobs --------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = read("CELERY_BROKER_URL") or "filesystem://localhost//"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
if CELERY_BROKER_URL.startswith("filesystem:"):
    _queue = DATA_DIR / "broker"
    _queue.mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue),
        "data_folder_out": str(_queue),
        "control_folder": str(_queue / "control"),
        "polling_interval": 0.05,
    }
elif CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 60 * 60}

# --- logs: never personal data, so no exception messages and no query strings (P10) -----------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "private": {
            "()": "consent.core.logs.PrivateFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "private"}},
    "root": {"handlers": ["console"], "level": read("LOG_LEVEL")},
    "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
}
