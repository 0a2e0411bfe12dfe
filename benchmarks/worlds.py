"""A scratch database of its own, filled with people who each have two consents. Never the developer's."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit


@contextmanager
def scratch(url: str) -> Iterator[dict[str, str]]:
    """The environment of an empty database that is gone after the block.

    Args:
        url: empty for SQLite; else any database of a PostgreSQL server on which databases may be made.
    """
    folder = tempfile.mkdtemp(prefix="placet-bench-")
    env = {"DATA_DIR": folder, "DATABASE_URL": "", "DEBUG": "on", "LOG_LEVEL": "ERROR"}
    name = f"placet_bench_{secrets.token_hex(4)}"
    try:
        if url:
            env["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
            _administer(url, f"CREATE DATABASE {name}")
        yield env
    finally:
        if url:
            _administer(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        shutil.rmtree(folder, ignore_errors=True)


def _administer(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(statement)


def enter(env: dict[str, str]) -> None:
    """Make this process work on that database."""
    os.environ.update(env, DJANGO_SETTINGS_MODULE="config.settings")
    import warnings

    import django
    from django.conf import settings

    warnings.filterwarnings("ignore", "No directory at")  # static files are not collected for a measurement

    settings.DEBUG = False  # with it, Django keeps the text of the last 9000 queries in memory
    django.setup()


# --- filling it ---------------------------------------------------------------------------------------------------

FIRST = (
    *("Anna", "Luca", "Zoë", "Marta", "Noé", "Jürgen", "Inês", "Paulo", "Brais", "Uxía"),
    *("Chloé", "Hugo", "Karl", "Lena", "Sara", "Omar", "Elif", "Ivo", "Ada", "Nils"),
)
_SYLLABLES = [consonant + vowel for consonant in "bdfglmnr" for vowel in "aeio"]
PEOPLE_PER_FAMILY = 20


def family(contact: int) -> str:
    """A family name that about as many people share in a small world as in a large one."""
    n, found = contact // PEOPLE_PER_FAMILY, ""
    for _syllable in range(4):
        n, rest = divmod(n, len(_SYLLABLES))
        found += _SYLLABLES[rest]
    return found.title()


def phone(index: int) -> str:
    """A mobile number that is valid and reaches nobody we know."""
    return f"+39312{index:07d}"


# Per twenty contacts, by the remainder of the contact's id: what became of the question, for either purpose.
_STATUS = """CASE WHEN c.id %% 20 < 14 THEN 'given' WHEN c.id %% 20 = 14 THEN 'renewed'
    WHEN c.id %% 20 = 16 THEN 'refused' WHEN c.id %% 20 = 17 THEN 'withdrawn' WHEN c.id %% 20 = 18 THEN 'expired'
    ELSE 'unknown' END"""


def build(contacts: int) -> dict[str, int]:
    """Migrate and fill: contacts, names, proofs, two consents each, suppressions, their history, one officer."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from django.db import connection, transaction
    from django.utils import timezone

    from benchmarks import texting_world
    from consent.contacts.models import Contact, NameWord, Suppression
    from consent.core import history, roles
    from consent.ledger.models import Brand, Consent, Notice, Purpose

    call_command("migrate", verbosity=0)
    officer = get_user_model().objects.create_user("officer", password=None, is_staff=True)
    officer.groups.add(Group.objects.get(name=roles.OFFICER))
    now = timezone.now()
    with (
        transaction.atomic(),
        history.acting(history.Actor.job("benchmark"), "benchmark"),
        connection.cursor() as cursor,
    ):
        purposes = []
        for slug, topic, kind in (
            ("officina-lavoro", "job-alerts", "recruitment"),
            ("mercado-vivo", "offers", "marketing"),
        ):
            brand = Brand.objects.create(slug=slug, name=slug, seat_country="IT", zone="Europe/Rome")
            purpose = Purpose.objects.create(brand=brand, slug=topic, name=topic, kind=kind, confirm_verbal=False)
            Notice.objects.create(purpose=purpose, language="it", text="t", frequency="f", published_at=now)
            purposes.append(purpose)
        indexes = _without_indexes(cursor)
        if connection.vendor == "postgresql":
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            if cursor.fetchone()[0]:  # our rows are right by construction: checking their keys takes minutes
                cursor.execute("SET LOCAL session_replication_role = replica")
        _load_contacts(cursor, contacts, now)
        for number, purpose in enumerate(purposes):
            notice = Notice.objects.get(purpose=purpose).pk
            first = number * contacts
            cursor.execute(
                f"INSERT INTO ledger_proof (id, uid, contact_id, purpose_id, phone, method, answer, captured_at,"
                f" recorded_by, notice_id, place, read_verbatim, reference, source, details, file, file_sha256,"
                f" file_type, recorded_at) SELECT c.id + {first}, {_uid('c.id', 1 + number)}, c.id, %s, c.phone,"
                f" CASE WHEN c.id %% 7 = 0 THEN 'verbal' ELSE 'web_form' END,"
                f" CASE WHEN c.id %% 20 IN (16, 17) THEN 'no' ELSE 'yes' END, {_ago('c.id %% 600')}, 'fair', %s,"
                f" 'Milano', CASE WHEN c.id %% 7 = 0 THEN {_true()} END, 'https://example.org/f', 'fair', '', '', '',"
                f" '', %s FROM contacts_contact c WHERE c.id %% 20 <> 19",
                [purpose.pk, notice, now],
            )
            cursor.execute(
                f"INSERT INTO ledger_consent (id, uid, contact_id, purpose_id, status, phone, effective_at, expires_at,"
                f" last_used_at, proof_id)"
                f" SELECT c.id + {first}, {_uid('c.id', 3 + number)}, c.id, %s, {_STATUS}, c.phone,"
                f" {_ago('c.id %% 600')}, CASE WHEN c.id %% 20 IN (16, 17, 19) THEN NULL"  # 3 of 20 are due for expiry
                f" WHEN c.id %% 20 < 3 THEN {_ago('1 + c.id %% 90')} ELSE {_ago('-(1 + c.id %% 600)')} END,"
                f" CASE WHEN c.id %% 9 = 0 THEN NULL ELSE {_ago('c.id %% 30')} END,"
                f" CASE WHEN c.id %% 20 = 19 THEN NULL ELSE c.id + {first} END FROM contacts_contact c",
                [purpose.pk],
            )
        Suppression.objects.bulk_create(
            Suppression(digest=digest, key_id="dev1", reason="stop", since=now)
            for digest in Contact.objects.filter(pk__in=range(17, contacts + 1, 50)).values_list(
                "phone_digest", flat=True
            )
        )
        for rows in (Contact, Consent, Suppression):
            history.created(rows.objects.order_by("pk"))
        if connection.vendor == "postgresql":  # no index is made while foreign keys wait to be checked
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        texting_world.fill(cursor, officer, purposes)
        for sql in indexes:
            cursor.execute(sql)
        _set_sequences(cursor, (Contact, NameWord, Consent))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
    return {"contacts": Contact.objects.count(), "consents": Consent.objects.count()}


def _load_contacts(cursor: object, count: int, now: object) -> None:
    from django.db import connection

    from consent.contacts.models import words
    from consent.core import digests

    columns = (
        "id, uid, phone, phone_digest, digest_key_id, name, email, kind, language, country, region, zones, known_zone,"
        " preferred_channel, source, external_id, created_at"
    )
    key, stamp = digests.newest_key_id(), str(now)
    kinds, languages = ("customer", "applicant", "employee"), ("it", "en", "de")

    def people() -> Iterator[tuple]:
        for i in range(1, count + 1):
            uid, number = f"{i:032x}", phone(i)
            name = f"{FIRST[i % len(FIRST)]} {family(i)}"
            yield (
                i, uid, number, digests.digest(number), key, name, "", kinds[i % 3], languages[i % 3],
                "US" if i % 50 == 1 else "IT", "", "Europe/Rome", "", "sms", "fair", f"E{i}", stamp,
            )  # fmt: skip

    def spoken() -> Iterator[tuple]:
        for i in range(1, count + 1):
            for word in words(f"{FIRST[i % len(FIRST)]} {family(i)}"):
                yield i, word

    for table, names, rows in (
        ("contacts_contact", columns, people()),
        ("contacts_nameword", "contact_id, word", spoken()),
    ):
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:  # type: ignore[attr-defined]
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * (names.count(",") + 1))
            connection.connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


def _uid(column: str, kind: int) -> str:
    from django.db import connection

    if connection.vendor == "postgresql":
        return f"('{kind:08d}-0000-0000-' || lpad(to_hex({column}), 16, '0'))::uuid"
    return f"'{kind:08d}' || printf('%%024x', {column})"


def _true() -> str:
    from django.db import connection

    return "true" if connection.vendor == "postgresql" else "1"


def _ago(days: str) -> str:
    from django.db import connection

    if connection.vendor == "postgresql":
        return f"now() - ({days}) * interval '1 day'"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', (-({days})) || ' days')"


def _without_indexes(cursor: object) -> list[str]:
    """Drop the plain indexes of the large tables; returns the statements that make them again."""
    from django.db import connection

    tables = (
        "('contacts_contact', 'contacts_nameword', 'ledger_proof', 'ledger_consent', 'contacts_historicalcontact',"
        " 'ledger_historicalconsent')"
    )
    if connection.vendor == "postgresql":
        sql = (
            f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN {tables} AND indexname NOT IN"
            " (SELECT conname FROM pg_constraint)"
        )
    else:
        sql = f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN {tables}"
    cursor.execute(sql)  # type: ignore[attr-defined]
    found = cursor.fetchall()  # type: ignore[attr-defined]
    for name, _definition in found:
        cursor.execute(f'DROP INDEX "{name}"')  # type: ignore[attr-defined]
    return [definition for _name, definition in found]


def _set_sequences(cursor: object, models: tuple) -> None:
    from django.core.management.color import no_style
    from django.db import connection

    from consent.ledger.models import Proof

    for sql in connection.ops.sequence_reset_sql(no_style(), [*models, Proof]):
        cursor.execute(sql)  # type: ignore[attr-defined]
