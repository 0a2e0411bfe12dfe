"""The project's addresses and one that breaks with personal data in its error."""

from django.http import HttpRequest
from django.urls import path

from config.urls import urlpatterns as _real

NUMBER = "+39 312 345 6789"


def _break(request: HttpRequest) -> None:
    raise ValueError(f"Key (phone)=({NUMBER}) already exists.")


urlpatterns = [path("admin/broken/", _break), *_real]
