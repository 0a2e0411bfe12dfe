"""Placet's addresses and a bare view beside them: what a STOP is measured against."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from campaigns.models import InboundMessage
from config.urls import urlpatterns as placet


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """Insert one row, answer."""
    now = timezone.now()
    InboundMessage.objects.create(gateway="bare", gateway_id=now.isoformat(), body="STOP", received_at=now)
    return HttpResponse()


urlpatterns = [path("bare/", bare), *placet]
