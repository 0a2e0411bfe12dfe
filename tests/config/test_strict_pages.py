"""Nothing inline: the content security policy allows neither inline scripts nor inline styles."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from consent.ledger.models import Brand, Consent, Notice
from tests import factories

TEMPLATES = [*(settings.BASE_DIR / "templates").rglob("*.html")]
INLINE = re.compile(r"""\sstyle=|<style\b|<script(?![^>]*\bsrc=)|\son[a-z]+=["']|javascript:""", re.IGNORECASE)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_template_has_inline_script_or_style(template: Path) -> None:
    assert INLINE.findall(template.read_text(encoding="utf-8")) == []


@pytest.mark.usefixtures("acting")
def test_no_page_has_inline_script_or_style(superuser: Any, sign_in: Any) -> None:
    factories.consent(factories.contact("Ada Prova"))
    client = sign_in(superuser)
    addresses = [page.url for group in client.get(reverse("admin:index")).context["navigation"] for page in group.pages]
    for row in (Brand.objects.get(), Notice.objects.get(), Consent.objects.get(), Consent.objects.get().contact):
        name = f"admin:{row._meta.label_lower.replace('.', '_')}"
        addresses += [reverse(f"{name}_change", args=[row.pk]), reverse(f"{name}_history", args=[row.pk])]
    addresses += [
        reverse("admin:auth_user_change", args=[superuser.pk]),
        reverse("admin:auth_group_delete", args=[Group.objects.values_list("pk", flat=True)[0]]),
        reverse("admin:auth_user_history", args=[superuser.pk]),
        reverse("admin:ledger_brand_add"),
        reverse("admin:password_change"),
    ]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert INLINE.findall(answer.content.decode()) == [], address
        assert "unsafe" not in answer["Content-Security-Policy"]


def test_the_log_in_has_nothing_inline(db: None) -> None:
    assert INLINE.findall(Client().get(reverse("admin:login")).content.decode()) == []
