"""The sending windows of RULES §3, each with its basis and where it stands; officers edit them from there on.

Migrations see models without their history, so the history rows are written here, as ``core.history`` would.
"""

from datetime import date

from django.db import migrations
from django.utils import timezone

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SINCE = date(2000, 1, 1)  # before any moment somebody asks about
ACTOR, REASON = "job:seed_windows", "Shipped with the software (RULES §3)"
LAW, CHARTER, HOUSE = "law", "charter", "house"
STATE = "08:00-20:00"


def week(weekdays: str, saturday: str = "", sunday: str = "") -> dict[str, str]:
    return dict(zip(DAYS, [weekdays] * 5 + [saturday, sunday]))


def all_week(hours: str) -> dict[str, str]:
    return week(hours, hours, hours)


# country, region, hours, what else, basis, source
SEEDS = (
    (
        "", "", week("09:00-20:00"), {}, HOUSE,
        "House rule: what the rules of all countries below have in common.",
    ),
    (
        "FR", "", week("08:00-20:00", "08:00-20:00"), {}, CHARTER,
        "French operators' charter (AF2M): 08:00-22:00 on working days, shipped until 20:00 as in our guide for the "
        "French market. The guide calls these hours law; they are not: the decree's hours are for calls.",
    ),
    (
        "IT", "", week("09:00-20:00", "10:00-19:00"), {}, HOUSE,
        "House rule, after the Italian code of conduct for telemarketing calls; no law sets hours for texts.",
    ),
    (
        "ES", "", week("09:00-21:00"), {}, HOUSE,
        "House rule, after the Spanish law on hours for calls.",
    ),
    (
        "PT", "", week("09:00-20:00", "09:00-20:00"), {}, HOUSE,
        "House rule, after the Portuguese law on hours for calls.",
    ),
    (
        "DE", "", week("09:00-20:00", "09:00-20:00"), {}, HOUSE,
        "House rule; no German law sets hours for texts.",
    ),
    (
        "GB", "", week("09:00-20:00", "09:00-20:00"), {}, HOUSE,
        "House rule, after the practice of vendors; no British law sets hours for texts.",
    ),
    (
        "US", "", all_week("08:00-21:00"), {"open_on_holidays": True}, LAW,
        "47 CFR 64.1200(c)(1): not before 8 a.m. or after 9 p.m. local time at the called party's location.",
    ),
    (
        "US", "", week("09:00-20:00", "09:00-20:00", "12:00-20:00"), {"open_on_holidays": True}, HOUSE,
        "House rule, within 47 CFR 64.1200(c)(1).",
    ),
    (
        "US", "FL", all_week(STATE), {"open_on_holidays": True, "max_per_day": 3}, LAW,
        "Florida Telephone Solicitation Act, Fla. Stat. 501.616(6): 8 a.m. to 8 p.m., three within 24 hours.",
    ),
    (
        "US", "OK", all_week(STATE), {"open_on_holidays": True, "max_per_day": 3}, LAW,
        "Oklahoma Telephone Solicitation Act of 2022, Okla. Stat. tit. 15, 775C.4: 8 a.m. to 8 p.m., three within 24 "
        "hours.",
    ),
    (
        "US", "MD", all_week(STATE), {"open_on_holidays": True, "max_per_day": 3}, LAW,
        "Maryland Stop the Spam Calls Act of 2023: 8 a.m. to 8 p.m., three within 24 hours.",
    ),
    (
        "US", "TX", week("09:00-21:00", "09:00-21:00", "12:00-21:00"), {"open_on_holidays": True}, LAW,
        "Texas Business and Commerce Code 301.051: Monday to Saturday 9 a.m. to 9 p.m., Sunday noon to 9 p.m.",
    ),
)  # fmt: skip


def seed(apps, schema_editor):
    window = apps.get_model("campaigns", "SendingWindow")
    historical = apps.get_model("campaigns", "HistoricalSendingWindow")
    using, now = schema_editor.connection.alias, timezone.now()
    for country, region, hours, more, basis, source in SEEDS:
        values = {"country": country, "region": region, **hours, **more, "basis": basis, "source": source}
        row = window.objects.using(using).create(valid_from=SINCE, **values)
        fields = {f.attname: getattr(row, f.attname) for f in window._meta.concrete_fields}
        historical.objects.using(using).create(
            **fields, history_date=now, history_type="+", history_change_reason=REASON, actor=ACTOR
        )


def unseed(apps, schema_editor):
    """Take away the shipped rows, also those that were edited since, and their history."""
    window = apps.get_model("campaigns", "SendingWindow")
    historical = apps.get_model("campaigns", "HistoricalSendingWindow")
    using = schema_editor.connection.alias
    shipped = list(historical.objects.using(using).filter(actor=ACTOR, history_type="+").values_list("id", flat=True))
    window.objects.using(using).filter(pk__in=shipped).delete()
    historical.objects.using(using).filter(id__in=shipped).delete()


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial")]
    operations = [migrations.RunPython(seed, unseed)]
