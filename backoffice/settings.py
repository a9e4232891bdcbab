"""Django settings. Everything that differs between installations comes from the environment (docs/operations.md)."""

import re
from importlib.util import find_spec
from pathlib import Path

import environ
import psycopg_pool
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from backoffice.languages.offered import ENGLISH, LOCALE, languages
from backoffice.logs import logging_config
from backoffice.review.unfold import LOGIN_REDIRECT_URL, UNFOLD  # noqa: F401 - settings of the console

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = False
# Without a key of its own a process can run commands (migrate, check) but the web role refuses to start: see wsgi.py.
SECRET_KEY = env.str("SECRET_KEY", default="not-a-secret-set-SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BASE_URL = env.str("BASE_URL", default="http://127.0.0.1:8000")
BEHIND_TLS = BASE_URL.startswith("https://")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "backoffice.review.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "backoffice",
    "backoffice.fleet",
    "backoffice.inbox",
    "backoffice.sales",
    "backoffice.ledger",
    "backoffice.trail",
    "backoffice.languages",
    "backoffice.ingestion",
    "backoffice.books.evidence",
    "backoffice.books.reports",
    "backoffice.books.exports",
    "backoffice.books",
    "backoffice.alerts",
    "backoffice.review",
    "pos_api",
    # Its commands run private servers and simulated tills. The production image does not have it.
    *(["backoffice.workbench"] if find_spec("backoffice.workbench") else []),
]

MIDDLEWARE = [
    "backoffice.tracing.RequestTrace",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "backoffice.review.language.ConsoleLanguage",
    "backoffice.review.middleware.ConsolePolicy",
    "backoffice.review.entrance.sessions.SessionLimits",
    "backoffice.review.middleware.PersonAtWork",
    "allauth.account.middleware.AccountMiddleware",
    "backoffice.review.entrance.enforcing.SecondFactor",
    "backoffice.review.login.LoginRefusals",
]

ROOT_URLCONF = "backoffice.urls"
WSGI_APPLICATION = "backoffice.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before those of the packages: some are ours of the same names.
        "DIRS": [BASE_DIR / "backoffice" / "review" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "backoffice.review.entrance.frame.entrance_frame",
            ],
        },
    }
]

# --- PostgreSQL -------------------------------------------------------------------------------------------------------

ROLE = env.str("BACKOFFICE_ROLE", default="command")  # web | worker | beat | command

DATABASES = {"default": env.db("DATABASE_URL", default="postgresql://backoffice@127.0.0.1:5432/backoffice")}
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    "application_name": f"backoffice-{ROLE}",
    "connect_timeout": 5,
    # A frozen peer must not hold a row for ever: the server ends its statement, its wait or its idle transaction. Nor
    # may one that vanished with its machine: the server looks after it, and after the socket while a statement runs.
    "options": "-c statement_timeout=60s -c lock_timeout=10s -c idle_in_transaction_session_timeout=30s"
    " -c client_connection_check_interval=10s -c tcp_user_timeout=30s"
    " -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
    if ROLE in {"web", "worker", "beat"}
    else "",
    "server_side_binding": True,
    "prepare_threshold": 2,
    # The same from our side: a server that vanished is noticed within a minute, also by a command.
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = False
# A server that asks for the password itself, and not for a proof of knowing it, is not ours. Without a password in its
# address (a socket, a certificate) nothing of the kind can be asked of us; the address may also say it otherwise.
if DATABASES["default"].get("PASSWORD"):
    DATABASES["default"]["OPTIONS"].setdefault("require_auth", "scram-sha-256")
# Of one web process, besides those of the terminals: the console waits for nobody's till, and no till for the console.
CONSOLE_CONNECTIONS = 3
if ROLE == "web":
    DATABASES["default"]["ENGINE"] = "backoffice.postgres.backend"
    # A request holds a connection only while it talks to the database, so a few serve many threads.
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", default=6),
        "timeout": 5,
        # While PostgreSQL is away the pool asks for it twice a second, and not at ever longer distances.
        "reconnect_timeout": 0.5,
        "reconnect_failed": psycopg_pool.ConnectionPool.check,
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = None
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis and Celery -------------------------------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")

# Where processes of one machine count together; each counts for itself where it is not set.
METRICS_DIR = env.str("METRICS_DIR", default=None)

# --- Evidence ---------------------------------------------------------------------------------------------------------

# The file of the key that signs the seals of the books. Web has no business with it: it serves what was signed.
SEAL_KEY_FILE = env.str("SEAL_KEY_FILE", default=None)
# A time-stamp authority (RFC 3161) that is asked once a day, and a file in PEM of the authorities whose stamps are believed.
TIMESTAMP_URL = env.str("TIMESTAMP_URL", default=None)
TIMESTAMP_CA_FILE = env.str("TIMESTAMP_CA_FILE", default=None)

# --- Alerts -----------------------------------------------------------------------------------------------------------

# Where mail is handed over: EMAIL_HOST and its kin are in this one address. Without it mails are kept for a while, and not sent.
EMAIL_URL = env.str("EMAIL_URL", default=None)
vars().update(env.email_url_config(EMAIL_URL) if EMAIL_URL else {"EMAIL_HOST": ""})
EMAIL_TIMEOUT = 10
MAIL_FROM = env.str("MAIL_FROM", default="backoffice@localhost")
# Webhooks to receivers inside: for intranets and tests. It also allows addresses without TLS.
WEBHOOKS_ALLOW_INTERNAL = env.bool("WEBHOOKS_ALLOW_INTERNAL", default=False)
# Told once a minute that all is well: who listens raises the alarm when it hears nothing.
PING_URL = env.str("PING_URL", default=None)

# --- The door ---------------------------------------------------------------------------------------------------------

MAX_BATCH_ORDERS = 2_000
MAX_BATCH_BYTES = 4 * 1024 * 1024
MAX_DECODED_BYTES = 8 * 1024 * 1024
# What a form of the console may have.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
# The one file that the console takes, a till's cache, and what may be around it in its form. It may hold card numbers, so
# it is never written to a disk, as Django would do with a large one.
MAX_CONSOLE_FILE_BYTES = 4 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_CONSOLE_FILE_BYTES + 64 * 1024
# Per terminal. The protocol promises that it is never below 50 a second with bursts of 200.
REQUESTS_PER_SECOND = env.int("REQUESTS_PER_SECOND", default=100)
REQUESTS_BURST = env.int("REQUESTS_BURST", default=400)
for _name, _set, _promised in (
    ("REQUESTS_PER_SECOND", REQUESTS_PER_SECOND, 50),
    ("REQUESTS_BURST", REQUESTS_BURST, 200),
):
    if _set < _promised:
        raise ImproperlyConfigured(f"{_name} is {_set}, and the protocol promises terminals {_promised} (§9, 429).")
# Tills in a browser: pages of these origins may speak to the terminals' API, and of no others (`backoffice.gate.origins`).
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
for _origin in CORS_ALLOWED_ORIGINS:
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?", _origin):
        raise ImproperlyConfigured(
            f"CORS_ALLOWED_ORIGINS has {_origin!r}, which is no origin: a scheme and a host in lower case, and a port"
            " where it has one, with nothing behind it (https://till.example)."
        )

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["pos_api.authentication.TerminalAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["pos_api.negotiation.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "pos_api.negotiation.AlwaysJson",
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_THROTTLE_CLASSES": ["pos_api.throttling.TerminalThrottle"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "pos_api.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Back Office terminal protocol",
    "DESCRIPTION": "The contract between a POS terminal and the Back Office.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_PUBLIC": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["pos_api.description.schema.add_components"],
}

# --- The console ------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = ENGLISH
LANGUAGES = languages()
LOCALE_PATHS = [LOCALE]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
# Set where `collectstatic` has run; without it the files are served from the packages that bring them.
STATIC_ROOT = env.str("STATIC_ROOT", default=None)
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
LOGIN_URL = reverse_lazy("admin:login")
AUTHENTICATION_BACKENDS = ["backoffice.review.login.LimitedLogin"]

# Whether whoever may do more than read must show a second factor. Off is for demonstrations, and every page says so.
SECOND_FACTOR = env.bool("SECOND_FACTOR", default=True)
# A session ends after so long without anything done in it, and after so long whatever is done.
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=30)
SESSION_HOURS = env.int("SESSION_HOURS", default=10)
# What matters most asks again who is there, unless that was shown so lately.
ASK_AGAIN_MINUTES = env.int("ASK_AGAIN_MINUTES", default=5)
for _name, _set in (
    ("SESSION_IDLE_MINUTES", SESSION_IDLE_MINUTES),
    ("SESSION_HOURS", SESSION_HOURS),
    ("ASK_AGAIN_MINUTES", ASK_AGAIN_MINUTES),
):
    if _set < 1:
        raise ImproperlyConfigured(f"{_name} is {_set}, and nobody could sign in: it must be at least 1.")
# Earlier values of SECRET_KEY, with which the secrets of authenticator apps can still be read (`entrance.encryption`).
SECRET_KEY_BEFORE = env.list("SECRET_KEY_BEFORE", default=[])

# django-allauth: only its second factors and its list of sessions are used. Nobody signs up, and nothing is sent by mail.
ACCOUNT_ADAPTER = "backoffice.review.entrance.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_REAUTHENTICATION_TIMEOUT = ASK_AGAIN_MINUTES * 60
# Wrong codes of one person: five in five minutes, and fifty in a day.
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key,50/d/key", "reauthenticate": "10/m/user"}
MFA_ADAPTER = "backoffice.review.entrance.adapters.FactorAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "backoffice.review.entrance.forms.CodeForm",
    "reauthenticate": "backoffice.review.entrance.forms.CodeAgainForm",
    "activate_totp": "backoffice.review.entrance.forms.AppForm",
    "authenticate_webauthn": "backoffice.review.entrance.forms.UsePasskeyForm",
    "reauthenticate_webauthn": "backoffice.review.entrance.forms.UsePasskeyAgainForm",
    "add_webauthn": "backoffice.review.entrance.forms.PasskeyForm",
    "edit_webauthn": "backoffice.review.entrance.forms.PasskeyNameForm",
}
ACCOUNT_FORMS = {"reauthenticate": "backoffice.review.entrance.forms.PasswordAgainForm"}
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Back Office"
# A clock may be half a minute wrong. A code counts once all the same.
MFA_TOTP_TOLERANCE = 1
# Codes that were used and wrong ones are counted in PostgreSQL: a code must not count twice while Redis is away.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
# A terminal that should speak and was not heard from for so long is silent.
SILENT_AFTER_MINUTES = env.int("SILENT_AFTER_MINUTES", default=15)
if SILENT_AFTER_MINUTES < 1:
    raise ImproperlyConfigured(
        f"SILENT_AFTER_MINUTES is {SILENT_AFTER_MINUTES}: a terminal is silent after a minute at least."
    )

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0

LOGGING_CONFIG = None
LOGGING = logging_config(role=ROLE, level=env.str("LOG_LEVEL", default="INFO"))
