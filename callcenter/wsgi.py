import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from callcenter.lib.gc_tuning import shorten_pauses

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callcenter.settings")

application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018 (loads every view before the first request does)
shorten_pauses()
