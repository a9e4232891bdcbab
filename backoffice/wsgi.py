"""Django as a WSGI application, which the gate in `rsgi.py` wraps."""

import os

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
application = get_wsgi_application()

if "SECRET_KEY" not in os.environ:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set: sessions and activation codes are signed with it. Set it as docs/operations.md says."
    )
