"""What operators and load balancers ask: is it alive, can it take uploads, and the metrics."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from backoffice.health.readiness import readiness
from backoffice.metrics.exposition import exposition


@csrf_exempt  # a POST is 405, which is no case for the log
@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "alive"})


@csrf_exempt  # a POST is 405, which is no case for the log
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when uploads are accepted and processed, otherwise 503 with the reasons."""
    found = readiness()
    waited_s = {} if found.oldest_waiting_s is None else {"oldest_waiting_s": round(found.oldest_waiting_s, 1)}
    broker = "up" if found.broker_up else "away: uploads are accepted, and processed once it is back"
    body = {"ready": not found.reasons, "reasons": found.reasons, **waited_s, "broker": broker}
    return JsonResponse(body, status=503 if found.reasons else 200)


@csrf_exempt  # a POST is 405, which is no case for the log
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The counters of all processes on this machine, and how things stand now, for Prometheus."""
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
