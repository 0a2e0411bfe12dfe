"""The words of the demo world; the world itself is tested with its campaigns."""

import json
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from consent.core import history
from consent.ledger import publishing
from consent.ledger.demo import words
from consent.ledger.models import Brand, Notice, PrivacyPolicy

LANGUAGES = [code for code, _label in django_settings.LANGUAGES]


@pytest.mark.django_db
def test_the_words_of_the_demo_are_those_of_the_shared_files_and_could_be_published() -> None:
    with history.acting(history.Actor.job("test"), "test"):
        made = words.make(timezone.now() - timedelta(days=1))
    for row in [*Notice.objects.select_related("purpose__brand"), *PrivacyPolicy.objects.select_related("brand")]:
        assert row.is_published
        assert [f"{row}: {check.requirement}" for check in publishing.missing(row)] == []
    assert Notice.objects.count() == 4 * len(LANGUAGES)
    assert PrivacyPolicy.objects.count() == 2 * len(LANGUAGES)
    assert {path: purpose.kind for path, purpose in made.items()} == {
        "officina-lavoro/job-alerts": "recruitment",
        "officina-lavoro/interview-reminders": "informational",
        "mercado-vivo/offers": "marketing",
        "mercado-vivo/order-updates": "informational",
    }
    ordinary = {"web_form", "application", "keyword", "verbal", "paper", "email_reply"}
    for purpose in made.values():
        purpose.full_clean()
        assert ordinary <= set(purpose.accepted_methods)
    for brand in Brand.objects.all():
        brand.full_clean()


def test_every_language_has_its_file() -> None:
    assert sorted(path.stem for path in (words.HERE / "texts").iterdir()) == sorted(LANGUAGES)
    assert json.dumps(words.world())
