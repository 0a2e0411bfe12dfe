"""The site starts only when its settings make sense, and says which one does not."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from consent.core import digests

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DEBUG": "off",
    "SECRET_KEY": "a-secret-key-of-some-length-that-nobody-guesses-0123456789",
    "SUPPRESSION_KEYS": "k1:c3VwcHJlc3Npb24ta2V5LXRoYXQtaXMtbG9uZy1lbm91Z2g=",
    "ALLOWED_HOSTS": "placet.example.org",
}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """``load(NAME=value)`` reads the settings under these variables alone."""
    monkeypatch.setattr(environ.Env, "read_env", staticmethod(lambda *args, **kwargs: None))
    for name in runpy.run_path(str(ROOT / "config/settings.py"), {"__name__": "settings"})["env"].scheme:
        monkeypatch.delenv(name, raising=False)

    def run(**variables: str) -> dict[str, Any]:
        for name, value in {"DATA_DIR": str(tmp_path), **variables}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "config/settings.py"))

    return run


def test_development_needs_nothing(load: Any) -> None:
    settings = load(DEBUG="on")
    assert settings["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"
    assert settings["CELERY_BROKER_URL"].startswith("filesystem:")
    assert settings["ACCEPT_FICTIONAL_NUMBERS"] is True


def test_production_is_made_by_variables_alone(load: Any) -> None:
    settings = load(**PRODUCTION, DATABASE_URL="postgres://u:p@db/placet", CELERY_BROKER_URL="redis://queue/0")
    assert settings["DATABASES"]["default"]["NAME"] == "placet"
    assert settings["CELERY_BROKER_TRANSPORT_OPTIONS"] == {"visibility_timeout": 21600}
    assert (settings["SESSION_COOKIE_SECURE"], settings["SECURE_SSL_REDIRECT"]) == (True, True)
    assert settings["ACCEPT_FICTIONAL_NUMBERS"] is False


@pytest.mark.parametrize("missing", ["SECRET_KEY", "SUPPRESSION_KEYS", "ALLOWED_HOSTS"])
def test_without_a_secret_it_refuses_and_names_it(load: Any, missing: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"not set: {missing}\."):
        load(**{name: value for name, value in PRODUCTION.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("BEHIND_TLS_PROXY", "2"),
        ("ACCEPT_FICTIONAL_NUMBERS", "sometimes"),
        ("PORT", "http"),
        ("PORT", "0"),
        ("REQUEST_DAYS", "-1"),
        ("EVIDENCE_MAX_BYTES", "10MB"),
        ("DEFAULT_COUNTRY", "Italy"),
        ("LANGUAGE_CODE", "klingon"),
        ("TIME_ZONE", "Rome"),
        ("LOG_LEVEL", "loud"),
        ("DATABASE_URL", "placet"),
    ],
)
def test_nonsense_is_refused_by_name(load: Any, name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        load(**{"DEBUG": "on", name: value})


def test_an_empty_variable_counts_as_not_set(load: Any) -> None:
    assert load(DEBUG="on", PORT="", TIME_ZONE="")["TIME_ZONE"] == "Europe/Rome"


@pytest.mark.parametrize("keys", ["nonsense", "k1:not base64", "k1:c2hvcnQ=", "k1:" + "A" * 44 + ",k1:" + "B" * 44])
def test_broken_suppression_keys_are_refused(settings: Any, keys: str) -> None:
    settings.SUPPRESSION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="SUPPRESSION_KEYS"):
        digests.newest_key_id()


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"DEBUG": "0"}, "SECRET_KEY, SUPPRESSION_KEYS, ALLOWED_HOSTS"),
        ({"DEBUG": "on", "SUPPRESSION_KEYS": "x:y"}, "x"),
    ],
)
def test_make_run_refuses_in_one_sentence_and_starts_nothing(
    variables: dict[str, str], named: str, tmp_path: Path
) -> None:
    blank = dict.fromkeys(["SECRET_KEY", "SUPPRESSION_KEYS", "ALLOWED_HOSTS", "DATABASE_URL", "CELERY_BROKER_URL"], "")
    done = subprocess.run(
        [sys.executable, "-m", "config.run"],
        cwd=ROOT,
        env={**os.environ, **blank, "DATA_DIR": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "placet.sqlite3").exists()
