"""Django's settings. What an operator may set stands in `environment.DEFAULTS`; the rest is fixed here."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config import embedded, environment, logs, unfold
from config.signing_keys import new_signing_key
from instructions.language_models import installed
from jobs.media.video_uris import check_prefix

BASE_DIR = Path(__file__).resolve().parent.parent
environment.load_env_file(BASE_DIR)

PRODUCTION = environment.read("STEPWRIGHT_ENV") == "production"
DEBUG = environment.read("STEPWRIGHT_DEBUG").lower() in {"1", "true", "yes"}
HOST, PORT = environment.read("HOST"), int(environment.read("PORT"))
PUBLIC_URL = (environment.read("STEPWRIGHT_PUBLIC_URL") or f"http://{HOST}:{PORT}").rstrip("/")
# The address that browsers see; in front of us TLS may end, so it says more than a request's own scheme and host.
IS_HTTPS = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = ["://".join(urlsplit(PUBLIC_URL)[:2])]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
# `__Host-`: a browser takes it from this very host only, never from a neighbour under the same domain.
_COOKIE_PREFIX = "__Host-" if IS_HTTPS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = (
    f"{_COOKIE_PREFIX}stepwright_session",
    f"{_COOKIE_PREFIX}stepwright_csrf",
)
SESSION_COOKIE_AGE = CSRF_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "config.web.errors.form_not_ours"
TRUSTED_PROXIES = [ip_network(part) for part in environment.read_list("STEPWRIGHT_TRUSTED_PROXIES")]
# The header in which one of them names who is signed in there, to the admin alone; as Django has it in META.
ADMIN_SSO_HEADER = environment.read("STEPWRIGHT_ADMIN_SSO_HEADER")
ADMIN_SSO_META = f"HTTP_{ADMIN_SSO_HEADER.upper().replace('-', '_')}" if ADMIN_SSO_HEADER else ""
ADMIN_SECOND_FACTOR_IS_REQUIRED = environment.read("STEPWRIGHT_ADMIN_SECOND_FACTOR") == "required"
ALLOWED_HOSTS = environment.read_list("STEPWRIGHT_ALLOWED_HOSTS") or ([] if PRODUCTION else ["*"])
SECRET_KEY = environment.read("STEPWRIGHT_SECRET_KEY") or environment.generated_secret("django_key")

environment.refuse_unknown_values()
environment.refuse_unsafe_production()

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin.apps.SimpleAdminConfig",  # its pages are found by urls.py: only the web process has them
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "corsheaders",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "pgtrigger",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config",
    "config.accounts",
    "config.work",
    "config.web",
    "jobs",
    "instructions",
    "anchors",
    "exports",
]
MIDDLEWARE = [
    "config.api.request_id.RequestIdMiddleware",
    "config.web.headers.BrowserHeadersMiddleware",
    "corsheaders.middleware.CorsMiddleware",  # around all that may refuse, so that a page can read why
    "django.middleware.security.SecurityMiddleware",
    "config.api.limits.BodyLimitMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.accounts.rate_limit.RateLimitMiddleware",
    # For the pages; the API signs in by bearer token and touches none of it.
    "config.web.pages.SessionMiddleware",
    "config.accounts.csrf.SignedCsrfCookieMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.web.pages.AuthenticationMiddleware",
    "config.accounts.proxy_sign_in.ProxySignInMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "config.accounts.second_factor.SecondFactorMiddleware",
    "config.web.pages.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
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
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # a redirect would lose a request's body
USE_TZ, TIME_ZONE = True, "UTC"
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = "config.formats"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
# The first refuses before the second hashes a password.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "config.accounts.proxy_sign_in.ProxyUserBackend",  # for what the middleware has let through
]
AXES_HANDLER = "config.accounts.lockout.LockoutHandler"
AXES_LOCKOUT_CALLABLE = "config.accounts.lockout.locked_out"
AXES_CLIENT_IP_CALLABLE = "config.accounts.addresses.client_address"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address"]
AXES_FAILURE_LIMIT, AXES_COOLOFF_TIME = 5, timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_SENSITIVE_PARAMETERS = [
    "username",
    "ip_address",
    "csrfmiddlewaretoken",
]  # never in logs, nor in what it stores
AXES_DISABLE_ACCESS_LOG, AXES_ENABLE_ADMIN = True, False
OTP_TOTP_ISSUER = "Stepwright"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    }
]
LOGIN_REDIRECT_URL = "/admin/"  # the sign-in page of the admin, opened by itself, says nothing of where to go
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

DATABASES = {
    "default": embedded.django_database(
        embedded.database_url(), pool_size=int(environment.read("STEPWRIGHT_DB_POOL_SIZE"))
    )
}
# Ours is content-addressed and stands in config/storage; Django's own is used for nothing.
STEPWRIGHT_STORAGE_URL = environment.read("STEPWRIGHT_STORAGE_URL") or f"file:{environment.home() / 'files'}"
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 2**20

BROKER_URL = environment.read("STEPWRIGHT_BROKER_URL")
ORCHESTRATOR = environment.read("STEPWRIGHT_ORCHESTRATOR")
ORCHESTRATOR_URL = environment.read("STEPWRIGHT_ORCHESTRATOR_URL")
ORCHESTRATOR_SECRET = environment.read("STEPWRIGHT_ORCHESTRATOR_SECRET")
ORCHESTRATOR_SECONDS = 10.0  # a whole call, at most
CALLBACK_SECRETS = [
    secret
    for secret in (
        environment.read("STEPWRIGHT_CALLBACK_SECRET") or environment.generated_secret("callback_secret"),
        environment.read("STEPWRIGHT_CALLBACK_SECRET_PREVIOUS"),
    )
    if secret
]
JWT: dict[str, Any] = {
    "SECRET": environment.read("STEPWRIGHT_JWT_SECRET") or environment.generated_secret("jwt_secret"),
    "JWKS_URL": environment.read("STEPWRIGHT_JWT_JWKS_URL"),
    "ISSUER": environment.read("STEPWRIGHT_JWT_ISSUER"),
    "AUDIENCE": environment.read("STEPWRIGHT_JWT_AUDIENCE"),
    "ALGORITHMS": environment.read_list("STEPWRIGHT_JWT_ALGORITHMS"),
    "LEEWAY_SECONDS": 30,
}
# By which manifests of exports are signed, and the public keys of those by which they were before.
SIGNING_KEY = environment.read("STEPWRIGHT_SIGNING_KEY") or environment.generated_secret(
    "signing_key", new_signing_key
)
FORMER_SIGNING_KEYS = environment.read_list("STEPWRIGHT_SIGNING_KEYS_FORMER")
ACTIVE_JOBS_PER_OWNER = int(environment.read("STEPWRIGHT_ACTIVE_JOBS_PER_OWNER"))
JOB_TIMEOUT_MINUTES = int(environment.read("STEPWRIGHT_JOB_TIMEOUT_MINUTES"))
THROTTLE_RATE = environment.read_rate("STEPWRIGHT_THROTTLE_RATE")
UNAUTHENTICATED_RATE = environment.read_rate("STEPWRIGHT_UNAUTHENTICATED_RATE")
VIDEO_URI_ALLOW = environment.read_checked_list("STEPWRIGHT_VIDEO_URI_ALLOW", check_prefix)
MAX_UPLOAD_BYTES = int(environment.read("STEPWRIGHT_MAX_UPLOAD_BYTES"))
QUOTA_BYTES_PER_OWNER = int(environment.read("STEPWRIGHT_QUOTA_BYTES_PER_OWNER"))
DOWNLOAD_URL_SECONDS = int(environment.read("STEPWRIGHT_DOWNLOAD_URL_SECONDS"))
UPLOAD_URL_SECONDS = 3600
LLM_URL = environment.read("STEPWRIGHT_LLM_URL")
LLM_API_KEY = environment.read_key("STEPWRIGHT_LLM_API_KEY")
LLM_MODEL = environment.read("STEPWRIGHT_LLM_MODEL")
LLM_TIMEOUT_SECONDS = int(environment.read("STEPWRIGHT_LLM_TIMEOUT_SECONDS"))  # a whole call, at most
LLM_TOKENS_PER_JOB = int(environment.read("STEPWRIGHT_LLM_TOKENS_PER_JOB"))
# What options may choose from; of the profiles, the first is taken without a choice.
_PROFILES = installed.profiles_to_choose(has_chat=bool(LLM_URL))
MODEL_PROFILES = environment.read_names("STEPWRIGHT_MODEL_PROFILES", _PROFILES)
# Passages are rewritten here, whoever drafts; the names of an orchestrator elsewhere say nothing to us.
REWRITING_PROFILES = [name for name in MODEL_PROFILES if name in _PROFILES] or _PROFILES
PROMPT_TEMPLATES = environment.read_names(
    "STEPWRIGHT_PROMPT_TEMPLATES", installed.prompts_to_choose(_PROFILES)
)
PROMPTS_FOR_DRAFTS = installed.prompts_for_drafts()  # by our own profiles
STT_PROFILES = environment.read_names("STEPWRIGHT_STT_PROFILES", ["default"])
WHISPER_MODEL = environment.read("STEPWRIGHT_WHISPER_MODEL")
SPEECH_URL = environment.read("STEPWRIGHT_SPEECH_URL")
SPEECH_API_KEY = environment.read_key("STEPWRIGHT_SPEECH_API_KEY")
SPEECH_MODEL = environment.read("STEPWRIGHT_SPEECH_MODEL")

# Pages of other origins: none, but those that are named; never with cookies, never the admin.
CORS_ALLOWED_ORIGINS = [part for part in environment.read_list("STEPWRIGHT_CORS_ORIGINS") if part != "*"]
CORS_ALLOW_ALL_ORIGINS = "*" in environment.read_list("STEPWRIGHT_CORS_ORIGINS")
CORS_URLS_REGEX = r"^/api/v1/(?!internal/)"
CORS_ALLOW_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
CORS_ALLOW_HEADERS = ["Accept", "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match",
                      "Last-Event-ID", "Prefer", "Range", "X-Request-ID"]  # fmt: skip
CORS_EXPOSE_HEADERS = ["Accept-Ranges", "Content-Disposition", "Content-Range", "ETag", "Idempotent-Replayed", "Link",
                       "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate",
                       "X-Request-ID"]  # fmt: skip
CORS_PREFLIGHT_MAX_AGE = 7200  # Chromium's most

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["config.accounts.authentication.BearerAuthentication"],
    "DEFAULT_THROTTLE_CLASSES": ["config.accounts.throttling.UserThrottle"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.api.negotiation.JsonNegotiation",
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "config.api.schema.ContractSchema",
    "EXCEPTION_HANDLER": "config.api.translation.exception_handler",
    "NON_FIELD_ERRORS_KEY": "",  # DRF's own word for it could be the name of a field
    "LIST_SERIALIZER_ERRORS_AS_DICT": True,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Stepwright",
    "DESCRIPTION": "Turns a screen recording into a step-by-step guide.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "callbackSecret": {
                "type": "apiKey",
                "in": "header",
                "name": "X-Callback-Secret",
                "description": "The secret that the operator shares with the orchestrator.",
            }
        }
    },
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVERS": [{"url": "/", "description": "The service that gives this description."}],
    "CONTACT": {"name": "The people who run this service"},
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "TAGS": [
        {
            "name": "jobs",
            "description": "Projects, jobs and their options, transcripts, the orchestrator's reports.",
        },
        {"name": "instructions", "description": "The documents that jobs make, and their versions."},
        {
            "name": "anchors",
            "description": "Where pictures stand in a document, the pictures, drawing on them.",
        },
        {"name": "exports", "description": "Documents as files, and what they were made of."},
        {"name": "files", "description": "Signed URLs, to upload and download bytes without a token."},
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api.wording.finish",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ActorType": ["editor", "orchestrator", "system", "staff"],
        "AssetKind": "anchors.models.Asset.Kind",
        "BlockChangeKind": ["added", "removed", "changed", "moved"],
        "BlurMode": ["pixelate", "solid", "gaussian"],
        "CallbackActor": ["orchestrator", "system"],
        "EvidenceKind": ["said", "shown", "edited", "generated"],
        "ExportFormat": ["PDF", "MD_ZIP", "HTML", "DOCX"],
        "ExportStatus": ["REQUESTED", "RUNNING", "SUCCEEDED", "FAILED"],
        "FrameStrategy": ["precise", "nearest_keyframe"],
        "JobStatus": "jobs.states.JobStatus",
        "PaperSize": "exports.look.PAPER_SIZES",
        "PictureFormat": ["png", "jpg", "webp"],
        "PictureType": ["image/png", "image/jpeg", "image/webp"],
        "RedactionMode": "anchors.models.Redaction.Mode",
        "ResolutionMethod": [
            "block_id",
            "text",
            "text_nearest",
            "text_ambiguous",
            "similarity",
            "none",
            "same_version",
            "by_hand",
        ],
        "ResolutionState": ["retain", "remap", "unresolved"],
        "ScreenEventKind": ["click", "type", "scroll", "window"],
        "ScreenshotOperation": "anchors.models.ScreenshotTask.Operation",
        "SensitiveKind": "anchors.models.RedactionSuggestion.Kind",
        "SuggestionReason": [
            "before_action",
            "after_action",
            "before_change",
            "after_change",
            "still",
            "step_start",
        ],
        "StepChangeKind": ["same", "words", "picture", "both", "added", "removed"],
        "ValidationStatus": ["PASS", "FAIL"],
        "VersionSource": "instructions.models.InstructionVersion.Source",
        "WorkStatus": ["PENDING", "RUNNING", "SUCCEEDED", "FAILED"],
    },
}
UNFOLD = unfold.UNFOLD
LOGGING = logs.logging_config(environment.read("STEPWRIGHT_LOG_LEVEL"))
