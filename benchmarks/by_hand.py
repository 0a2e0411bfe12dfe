"""The decision once more as SQL written by hand: the yardstick of audience, preflight and launch."""

from typing import Any

from django.db import connection

from campaigns import openings
from consent.ledger.decision import Context
from consent.ledger.models import Purpose
from consent.ledger.proofs import WRITTEN

_COUNTED = "m.kind IN ('campaign', 'welcome', 'reconfirmation', 'renewal')"
_ZONE = "CASE WHEN c.known_zone <> '' THEN c.known_zone ELSE c.zones END"

JUDGED = f"""
SELECT c.id, c.phone, c.language, c.country, c.region, {_ZONE} AS zone, k.id AS consent_id, k.proof_id, CASE
    WHEN c.restricted_since IS NOT NULL THEN 'restricted'
    WHEN c.held_since IS NOT NULL THEN 'held'
    WHEN c.phone_digest IN (SELECT digest FROM contacts_suppression WHERE lifted_at IS NULL AND
      ((purpose_id IS NULL AND brand_id IS NULL) OR brand_id = %(brand)s OR purpose_id = %(purpose)s)) THEN 'suppressed'
    WHEN k.id IS NULL OR (k.status IN ('given', 'renewed') AND k.effective_at > %(at)s) THEN 'no_consent'
    WHEN k.status IN ('unknown', 'requested', 'refused', 'withdrawn', 'revoked', 'expired', 'invalidated') THEN k.status
    WHEN k.status NOT IN ('given', 'renewed') THEN 'no_consent'
    WHEN k.expires_at <= %(at)s THEN 'expired'
    WHEN k.phone <> c.phone THEN 'number_changed'
    WHEN n.version < %(material)s THEN 'renewal_needed'
    WHEN k.last_used_at IS NULL AND k.effective_at < %(late)s AND p.method <> 'relationship' THEN 'reconfirmation_due'
    WHEN p.id IS NULL OR p.answer <> 'yes' OR p.method NOT IN ({{methods}})
      OR (p.method = 'verbal' AND (p.read_verbatim IS NULL OR NOT p.read_verbatim))
      OR (p.notice_id IS NULL AND p.method <> 'relationship')
      OR (%(marketing)s AND c.country = 'US' AND p.method NOT IN ({{written}})) THEN 'proof_too_weak'
    WHEN c.preferred_channel <> 'sms' THEN 'channel_preference'
    WHEN c.id IN (SELECT m.contact_id FROM campaigns_message m WHERE m.handed_at > %(week)s AND {_COUNTED}
        AND m.purpose_id = %(purpose)s GROUP BY m.contact_id HAVING COUNT(*) >= %(most)s)
      OR c.id IN (SELECT m.contact_id FROM campaigns_message m JOIN contacts_contact o ON o.id = m.contact_id
        WHERE m.handed_at > %(week)s AND {_COUNTED} AND o.max_per_week IS NOT NULL
        GROUP BY m.contact_id, o.max_per_week HAVING COUNT(*) >= o.max_per_week)
      OR (c.country = 'US' AND c.region IN ('FL', 'OK', 'MD') AND c.id IN (SELECT m.contact_id
        FROM campaigns_message m WHERE m.handed_at > %(day)s AND {_COUNTED}
        GROUP BY m.contact_id HAVING COUNT(*) >= 3)) THEN 'frequency_cap'
    WHEN NOT ({{places}}) THEN 'outside_window'
    ELSE '' END AS refusal
  FROM contacts_contact c
  LEFT JOIN ledger_consent k ON k.contact_id = c.id AND k.purpose_id = %(purpose)s
  LEFT JOIN ledger_proof p ON p.id = k.proof_id
  LEFT JOIN ledger_notice n ON n.id = p.notice_id
"""


def judged(context: Context) -> tuple[str, dict[str, Any]]:
    """The statement that judges everybody, and its values. Looking up the places is part of it."""
    from datetime import timedelta

    purpose = context.purpose
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT c.country, c.region, {_ZONE} FROM contacts_contact c")
        known = [openings.Place(*row) for row in cursor.fetchall()]
    hours = openings.Hours.load(purpose.kind)
    places = " OR ".join(
        f"(c.country = '{p.country}' AND c.region = '{p.region}' AND {_ZONE} = '{p.zones}')"
        for p in known
        if hours.is_open(p, context.at)
    )
    methods, written = (", ".join(f"'{method}'" for method in row) for row in (purpose.accepted_methods, WRITTEN))
    values = {
        "at": context.at,
        "late": context.at - timedelta(days=purpose.first_message_within_days),
        "week": context.at - timedelta(days=7),
        "day": context.at - timedelta(days=1),
        "brand": purpose.brand_id,
        "purpose": purpose.pk,
        "most": purpose.max_per_week,
        "material": context.material_version,
        "marketing": purpose.kind == Purpose.Kind.MARKETING,
    }
    return JUDGED.format(methods=methods, written=written, places=places or "1 = 0"), values
