"""Every page of the product; each desk's own addresses stand in its urls.py."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
