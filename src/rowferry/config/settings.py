"""Django's settings. What may differ between two installations is read in `environment.py`; docs/settings.md lists
it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from rowferry.config import environment
from rowferry.config.environment import DATA_DIR, env

ROWFERRY = Path(__file__).resolve().parent.parent

SECRET_KEY = environment.secret_key()
DEBUG = env.bool("DEBUG", False)
SITE_URL = env.str("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["*"])
CSRF_TRUSTED_ORIGINS = [SITE_URL]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django_htmx",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rowferry.exports",
    "rowferry.assets",
    "rowferry.tickets",
    "rowferry.api",
    "rowferry.web",
    "rowferry.config",
]
MIDDLEWARE = [
    "rowferry.runtime.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "rowferry.config.urls"
WSGI_APPLICATION = "rowferry.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

DATABASES = {
    "default": environment.database(env.str("DATABASE_URL", f"sqlite:///{quote(str(DATA_DIR / 'rowferry.sqlite3'))}"))
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}]
LOGIN_URL = "/login"
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [ROWFERRY / "web" / "locale"]  # where `make messages` puts the texts of all apps
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

BROKER_URL = env.str("BROKER_URL", f"spool://{quote(str(DATA_DIR / 'spool'))}")
STORAGE_URL = env.str("STORAGE_URL", f"file://{quote(str(DATA_DIR / 'files'))}")
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", "Rowferry <rowferry@localhost>")
CONTACT_EMAIL = env.str("CONTACT_EMAIL", "")
ROWFERRY_SIGNING_KEY = env.str("ROWFERRY_SIGNING_KEY", "")
ROWFERRY_SIGNING_KEY_FILE = str(DATA_DIR / "signing-key")
ROWFERRY_PUBLIC_KEYS = str(DATA_DIR / "public-keys")
globals().update(environment.email(env.str("EMAIL_URL", f"file://{quote(str(DATA_DIR / 'mail'))}")))
globals().update(environment.limits())
ROWFERRY_CONNECTION_CONTEXT = env.str("ROWFERRY_CONNECTION_CONTEXT", "")
ROWFERRY_PREPARE_CONNECTION = env.str("ROWFERRY_PREPARE_CONNECTION", "")
ROWFERRY_METRICS_TOKEN = env.str("ROWFERRY_METRICS_TOKEN", "")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rowferry.api.authentication.BearerAuthentication",
        "rowferry.api.authentication.PageSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["rowferry.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "rowferry.api.negotiation.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "rowferry.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Rowferry",
    "DESCRIPTION": "The export you can prove: rows out of a database as files that are complete, checked and audited.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "rowferry.api.openapi.links.add_links"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

LOGGING = environment.log()
