"""``manage.py classify_reply``."""

import json
from io import StringIO

import pytest
from django.core.management import call_command


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["STOP"], {"class": "opt_out", "rule": "1 opt-out word"}),
        (["meet me at the bus stop", "--country", "gb"], {"class": "conversation", "rule": "none"}),
        (["meet me at the bus stop", "--country", "us"], {"class": "opt_out", "rule": "2 stop anywhere"}),
        (["numero sbagliato"], {"class": "review", "rule": "3 phrase (it)"}),
        (["ALTA"], {"class": "opt_in", "rule": "5 opt-in word"}),
        ([""], {"class": "conversation", "rule": "none"}),
    ],
)
def test_says_what_a_reply_means(arguments: list[str], found: dict[str, str]) -> None:
    assert json.loads(run("classify_reply", *arguments, "--json")) == found


def test_says_it_in_words() -> None:
    assert run("classify_reply", "Hilfe!") == "Help (rule 4 help word)\n"
