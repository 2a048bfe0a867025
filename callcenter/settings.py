"""Settings from the environment. Nothing secret has a default outside the demo.

Variables: DATABASE_URL, REDIS_URL, SECRET_KEY, ALLOWED_HOSTS, CSRF_TRUSTED_ORIGINS, PUBLIC_URL,
EMAIL_URL parts, DEBUG, DEMO, PROXIES, RECORDINGS_DIR. `.env.example` explains each of them.
"""

import os
from pathlib import Path

import dj_database_url
import django_stubs_ext
from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent


def _flag(name: str, default: bool = False) -> bool:
    return os.environ.get(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def _list(name: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def _needed(name: str, demo_default: str) -> str:
    """A variable that production must set; the demo and the tests may live on the default."""
    value = os.environ.get(name)
    if value:
        return value
    if DEMO:
        return demo_default
    raise ImproperlyConfigured(
        f"Set the environment variable {name} (see .env.example), or DEMO=1 for a try-out."
    )


# DEMO turns on the demo clinic's conveniences and makes every real gateway unreachable.
DEMO = _flag("DEMO")
DEBUG = _flag("DEBUG")
SECRET_KEY = _needed("SECRET_KEY", "demo-only-not-a-secret-demo-only-not-a-secret-demo-0")
# 127.0.0.1 for the health check of the process's own container.
ALLOWED_HOSTS = ["*"] if DEMO else [*_needed("ALLOWED_HOSTS", "").split(","), "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = _list("CSRF_TRUSTED_ORIGINS")
# The address patients open from a message and the robot's audio is fetched from; no trailing slash.
PUBLIC_URL = _needed("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "axes",
    "csp",
    "django_htmx",
    "django_tables2",
    "template_partials",
    "callcenter.lib",
    "callcenter.audit",
    "callcenter.staff",
    "callcenter.clinics",
    "callcenter.imports",
    "callcenter.assignments",
    "callcenter.contacts",
    "callcenter.messaging",
    "callcenter.telephony",
    "callcenter.demo",
    "journals",
    "reminders",
    "callback",
    "b2c_procedures",
    "reports",
    "callcenter.workbench",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "callcenter.lib.middleware.StripNulBytes",
    "callcenter.lib.middleware.LoginRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "callcenter.lib.middleware.DomainErrorMiddleware",
    "csp.middleware.CSPMiddleware",
    "axes.middleware.AxesMiddleware",
]

FORM_RENDERER = "callcenter.lib.forms.Renderer"
ROOT_URLCONF = "callcenter.urls"
WSGI_APPLICATION = "callcenter.wsgi.application"

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
                "callcenter.workbench.menu.page",
            ],
            "builtins": [
                "callcenter.lib.templatetags.form_fields",
                "callcenter.lib.templatetags.formatting",
                "callcenter.lib.templatetags.icons",
                "callcenter.lib.templatetags.live",
                "callcenter.lib.templatetags.phone_numbers",
                "callcenter.lib.templatetags.query_string",
                "callcenter.staff.templatetags.access",
            ],
        },
    }
]

DATABASE_URL = _needed("DATABASE_URL", "postgres://dozvon@127.0.0.1:5433/dozvon")
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, engine="callcenter.lib.postgres")}
DATABASES["default"].setdefault("OPTIONS", {})
if _flag("DB_POOL"):  # the web process only; workers open and close (Celery forks)
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 2, "max_size": 16, "timeout": 10}
    DATABASES["default"]["CONN_MAX_AGE"] = 0
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = _needed("REDIS_URL", "redis://127.0.0.1:6380/0")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}

AUTH_USER_MODEL = "staff.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("login", "full_name", "email")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 8},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_COOKIE_AGE = 14 * 3600  # a working day with overtime, seconds
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

AXES_FAILURE_LIMIT = 5
AXES_USERNAME_FORM_FIELD = (
    "username"  # of the log-in form; axes would look for the model's `login` and count nobody
)
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "callcenter.staff.views.account.locked_out"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = (
    False  # the page says when to try again, and that moment stays
)
AXES_CLIENT_IP_CALLABLE = "callcenter.staff.access.client_address"
AXES_RESET_ON_SUCCESS = True

LANGUAGE_CODE = "ru"
USE_I18N = (
    True  # Django's own Russian texts and plural rules; ours are plain Russian in the templates
)
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
# The demo and the tests serve straight from the folders below; only production collects.
STATIC_ROOT = None if DEMO else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "callcenter.lib.npm_assets.VendoredFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Production: names with a hash of the content, so browsers keep them for ever, and
        # compressed beside.
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or DEMO
# Uploaded files of imports, recordings and finished exports. Never under a URL that the web server
# serves by itself.
MEDIA_ROOT = Path(os.environ.get("FILES_DIR", BASE_DIR / "var" / "files"))
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "style-src-attr": [UNSAFE_INLINE],  # progress bars and charts set style attributes
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# How many proxies of ours stand before the web server and add to X-Forwarded-For; 0 trusts the
# connection alone.
PROXIES = int(os.environ.get("PROXIES", "0"))
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
if not (DEMO or DEBUG):
    SECURE_SSL_REDIRECT = _flag("SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = ["^healthz$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# The demo's letters become files: nothing of it may reach a real mailbox.
EMAIL_BACKEND = f"django.core.mail.backends.{'filebased' if DEMO else 'smtp'}.EmailBackend"
EMAIL_FILE_PATH = MEDIA_ROOT / "letters"
EMAIL_HOST = os.environ.get("EMAIL_HOST", "127.0.0.1")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _flag("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 15  # seconds
DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM", "dozvon@localhost")

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True  # rows are the memory, tasks carry no state
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 10, "socket_connect_timeout": 5}
CELERY_TASK_TIME_LIMIT = 15 * 60  # seconds
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"phones": {"()": "callcenter.lib.log_masking.MaskPhones"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["phones"]}
    },
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    # A tick that was sent, taken and done is no news: twenty lines a second would bury those that
    # are.
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("axes", "httpx", "celery.beat", "celery.worker.strategy", "celery.app.trace")
    },
}

# Telephony. One exchange for the installation; its address and password are secrets of the machine,
# not of a clinic.
PBX = os.environ.get(
    "PBX", "simulator" if DEMO else "ari"
)  # a name in callcenter/telephony/pbx/__init__.py
ARI_URL = os.environ.get("ARI_URL", "http://127.0.0.1:8088")
ARI_USER = os.environ.get("ARI_USER", "dozvon")
ARI_PASSWORD = os.environ.get("ARI_PASSWORD", "")
ARI_APP = os.environ.get("ARI_APP", "dozvon")
ARI_TRUNK = os.environ.get(
    "ARI_TRUNK", "PJSIP/{number}@trunk"
)  # how a city or mobile number is dialled
ARI_AMD = os.environ.get(
    "ARI_AMD", ""
)  # the dialplan's context that tells a machine from a person; '' = none
# 'http': Asterisk fetches the robot's speech from PUBLIC_URL; 'path': it reads FILES_DIR from a
# shared disk.
ARI_MEDIA = os.environ.get("ARI_MEDIA", "http")
# Links to recordings must lead out to the world, unless the PBX that sends its webhooks stands in
# our own network.
RECORDINGS_FROM_INSIDE = os.environ.get("RECORDINGS_FROM_INSIDE", "") == "1"
# Speech: espeak (from its wheel), command, http, off. See docs/speech.md.
SPEECH_ENGINE = os.environ.get("SPEECH_ENGINE", "espeak")
SPEECH_VOICE = os.environ.get("SPEECH_VOICE", "ru")
SPEECH_SPEED = int(os.environ.get("SPEECH_SPEED", "150"))  # words per minute
SPEECH_COMMAND = os.environ.get("SPEECH_COMMAND", "")
SPEECH_URL = os.environ.get("SPEECH_URL", "")
SPEECH_TOKEN = os.environ.get("SPEECH_TOKEN", "")
