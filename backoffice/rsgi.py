"""The application that granian serves: Django behind a gate (ADR 11, 17 and 23).

Django works in threads, and a thread that reads from a slow client serves nobody else. So the event loop asks first who
is speaking, receives the body under a deadline and within a budget, and only a complete request takes a thread. RSGI is
granian's own interface, with one call for a body and one for an answer.
"""

import os

# The imports below need the settings.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

from django.conf import settings

from backoffice.cycle_collector import tune_cycle_collector
from backoffice.health.startup import refuse_unsafe_servers
from backoffice.wsgi import application as django_application

# Last, because what they import needs Django to be set up.
from backoffice.gate.gate import Gate  # isort: skip
from backoffice.gate.threads import make_lanes  # isort: skip

THREADS = int(os.environ.get("WEB_THREADS", "32"))
BODY_TIMEOUT_S = float(os.environ.get("BODY_TIMEOUT_S", "120"))
ANSWER_TIMEOUT_S = float(os.environ.get("ANSWER_TIMEOUT_S", "30"))

if settings.ROLE == "web":
    refuse_unsafe_servers()
tune_cycle_collector()
application = Gate(
    django_application,
    lanes=make_lanes(tills=THREADS),
    body_timeout_s=BODY_TIMEOUT_S,
    answer_timeout_s=ANSWER_TIMEOUT_S,
)
