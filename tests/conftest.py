"""What every test may ask for: the people who use Placet, one clock, a trail for changes."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client, override_settings
from django.utils import translation

from campaigns import openings
from consent.core import roles, triggers
from tests import factories

PASSWORD = "a-long-enough-password"
ROLES = {
    "officer": roles.OFFICER,
    "recruiter": roles.RECRUITER,
    "manager": roles.CAMPAIGN_MANAGER,
    "auditor": roles.AUDITOR,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if connection.vendor != "postgresql":
        for item in items:
            if item.get_closest_marker("postgresql"):
                item.add_marker(pytest.mark.skip(reason="needs PostgreSQL: set DATABASE_URL"))


@pytest.fixture(scope="session", autouse=True)
def _start_up() -> Iterator[None]:
    """What middleware reads once when it starts; the live server starts before any single test."""
    plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
    with override_settings(
        WHITENOISE_AUTOREFRESH=True,  # nothing is collected for tests
        SECURE_SSL_REDIRECT=False,
        SESSION_COOKIE_SECURE=False,
        CSRF_COOKIE_SECURE=False,
        STORAGES={**django_settings.STORAGES, "staticfiles": {"BACKEND": plain}},
    ):
        yield


@pytest.fixture(autouse=True)
def _settings(settings: Any, tmp_path: Any) -> None:
    settings.ACCEPT_FICTIONAL_NUMBERS = True
    settings.MEDIA_ROOT = tmp_path / "private"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CELERY_TASK_ALWAYS_EAGER = True
    translation.activate("en")  # a page leaves its reader's language behind


@pytest.fixture(autouse=True)
def _emptying_tables(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests with real transactions empty whole tables; the triggers would refuse that, migrate puts them back."""
    yield
    marker = request.node.get_closest_marker("django_db")
    transactional = "transactional_db" in request.fixturenames or "live_server" in request.fixturenames
    if transactional or (marker and marker.kwargs.get("transaction")):
        from pytest_django.plugin import DjangoDbBlocker  # noqa: F401

        triggers.drop()


@pytest.fixture(autouse=True)
def _every_hour_is_open(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not about the hours of sending (marker ``hours``) holds at any of them."""
    if not request.node.get_closest_marker("hours"):
        monkeypatch.setattr(openings.Hours, "is_open", lambda self, place, at: True)


@pytest.fixture
def clock() -> Iterator[Any]:
    """The one clock, frozen: ``clock.move_to(...)``, ``clock.shift(...)``."""
    with time_machine.travel(datetime.fromisoformat("2026-11-22T10:00:00+01:00"), tick=False) as traveller:
        yield traveller


@pytest.fixture
def acting() -> Iterator[None]:
    """Changes in the test are made by the test."""
    with factories.acting():
        yield


def make_user(django_user_model: Any, name: str) -> Any:
    user = django_user_model.objects.create_user(
        name, password=PASSWORD, is_staff=name != "stranger", is_superuser=name == "superuser"
    )
    if name in ROLES:
        user.groups.add(Group.objects.get(name=ROLES[name]))
    return user


@pytest.fixture
def officer(db: None, django_user_model: Any) -> Any:
    return make_user(django_user_model, "officer")


@pytest.fixture
def recruiter(db: None, django_user_model: Any) -> Any:
    return make_user(django_user_model, "recruiter")


@pytest.fixture
def manager(db: None, django_user_model: Any) -> Any:
    return make_user(django_user_model, "manager")


@pytest.fixture
def auditor(db: None, django_user_model: Any) -> Any:
    return make_user(django_user_model, "auditor")


@pytest.fixture
def superuser(db: None, django_user_model: Any) -> Any:
    return make_user(django_user_model, "superuser")


@pytest.fixture
def stranger(db: None, django_user_model: Any) -> Any:
    """Has an account and no business in the admin."""
    return make_user(django_user_model, "stranger")


@pytest.fixture
def sign_in() -> Any:
    """``sign_in(officer)`` gives a test client with that person's session."""

    def as_person(user: Any) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return as_person
