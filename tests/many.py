"""Many contacts at once, written by the database itself: for plans and speeds that only show in a large table."""

from django.db import connection

_NUMBERS = {
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM s WHERE n < %s) ",
    "postgresql": "WITH s AS (SELECT n FROM generate_series(%s::bigint, %s::bigint) AS g(n)) ",
}
_UID = {"sqlite": "printf('%%032x', n)", "postgresql": "lpad(to_hex(n), 32, '0')::uuid"}
_PAD = {"sqlite": "printf('%%07d', n)", "postgresql": "lpad(n::text, 7, '0')"}
_DIGEST = {"sqlite": "printf('%%064x', n)", "postgresql": "lpad(to_hex(n), 64, '0')"}
_DATE = {
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', '2024-01-01', '+' || (n %% 1000) || ' days')",
    "postgresql": "timestamptz '2024-01-01' + (n %% 1000) * interval '1 day'",
}


def contacts(count: int, first: int = 1) -> None:
    """Write contacts named "Given<n/1000> Family<n>" with Italian numbers, in the order of ``n``."""
    v = connection.vendor
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_contact (uid, phone, phone_digest, digest_key_id, name, email, kind, language, "
            "country, region, zones, known_zone, preferred_channel, source, external_id, created_at) "
            f"{_NUMBERS[v]} SELECT {_UID[v]}, '+39350' || {_PAD[v]}, {_DIGEST[v]}, 'dev1', "
            "'Given' || (n / 1000) || ' Family' || n, '', "
            "CASE n %% 3 WHEN 0 THEN 'customer' WHEN 1 THEN 'applicant' ELSE 'employee' END, 'it', "
            "CASE WHEN n %% 50 = 0 THEN 'FR' ELSE 'IT' END, '', 'Europe/Rome', '', 'sms', "
            f"'list-' || (n %% 20), 'ats-' || n, {_DATE[v]} FROM s",
            [first, first + count - 1],
        )
        for word in ("'given' || (n / 1000)", "'family' || n"):
            cursor.execute(
                f"INSERT INTO contacts_nameword (contact_id, word) {_NUMBERS[v]} SELECT contacts_contact.id, {word} "
                f"FROM s JOIN contacts_contact ON contacts_contact.phone = '+39350' || {_PAD[v]}",
                [first, first + count - 1],
            )


def analyze() -> None:
    """Let the database look at what it holds, as it does by itself in time."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
