"""The WSGI application that granian serves."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
application = get_wsgi_application()

if settings.SECRET_KEY == settings.NO_SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY: sessions and activation codes are signed with it.")
