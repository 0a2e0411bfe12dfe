"""Launching: one statement freezes a text for each contact of the audience, queued or refused (DESIGN §5)."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from campaigns import openings, queue, waking, workflow
from campaigns.models import Campaign, Message
from consent.core import history
from consent.ledger import decision

S = Message.State
ACTOR = history.Actor.job("launch")


def due(at: datetime) -> list[int]:
    """The ids of campaigns whose moment has come."""
    waiting = Campaign.objects.filter(state=Campaign.State.SCHEDULED, scheduled_at__lte=at)
    return list(waiting.order_by("scheduled_at").values_list("pk", flat=True))


def launch(campaign: Campaign) -> int | None:
    """Start a scheduled campaign whose moment has come; whoever comes second finds it started.

    All or nothing: a launch that dies has not happened, and the sweep starts it again. An approval that no longer
    covers what would be sent, or whose sender may no longer send it, is void, and nothing starts.

    Returns:
        How many texts were written, refused ones included; None: it was not to be started.
    """
    with transaction.atomic(), history.acting(ACTOR, str(workflow.MOVES["start"].reason)):
        # Not in the way of a STOP, which writes a reply that names the campaign: its key stays free. Who else launches
        # it now need not be waited for.
        locked = Campaign.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(pk=campaign.pk)
        row = locked.select_related("purpose__brand", "sender__brand", "audience").first()
        now = timezone.now()
        if row is None or row.state != Campaign.State.SCHEDULED or (row.scheduled_at or now) > now:
            return None
        if workflow.void_if_outdated(row, launching=True):
            return None
        row.state = workflow.check_move("start", row.state)
        row.launched_at = now
        row.ends_at = row.ends_at or now + timedelta(days=settings.CAMPAIGN_DAYS)
        row.save()
        written = _write(row, now)
        waking.wake([row.sender_id])
    return written


def _write(campaign: Campaign, now: datetime) -> int:
    """The texts, by INSERT … SELECT of the decision: the judgement inside, what is the same for all outside."""
    context = decision.context_for(campaign.purpose, now, campaign)
    judged = decision.decide(context, campaign.audience.contacts()).annotate(contact_id=F("pk"))
    judged = judged.order_by("pk")  # contacts are locked in this order everywhere
    taken = ("contact_id", "phone", "language", "refusal", "consent_id", "proof_id")
    try:
        inner, inner_params = judged.values_list(*taken).query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return 0
    waits = ["", *(rule.code for rule in decision.RULES if rule.defers)]
    marks = ", ".join(["%s"] * len(waits))
    chosen: dict[str, tuple[str, list[Any]]] = {name: (f"j.{_quoted(name)}", []) for name in taken}
    chosen["state"] = (f"CASE WHEN j.refusal IN ({marks}) THEN %s ELSE %s END", [*waits, S.QUEUED, S.REFUSED])
    chosen["refusal"] = (f"CASE WHEN j.refusal IN ({marks}) THEN '' ELSE j.refusal END", waits)
    same = {
        "kind": Message.Kind.CAMPAIGN,
        "campaign_id": campaign.pk,
        "purpose_id": campaign.purpose_id,
        "sender_id": campaign.sender_id,
        "decision": _noted(context),
        "created_at": now,
        "not_before": now,
        "expires_at": campaign.ends_at,
    }
    columns, values, params = [], [], []
    for field in Message._meta.concrete_fields:
        if field.primary_key or (field.null and field.attname not in {**chosen, **same}):
            continue
        sql, given = chosen.get(field.attname, ("%s", []))
        if field.attname not in chosen:
            value = same.get(field.attname, field.get_default())
            given = [field.get_db_prep_save(value, connection)]
        columns.append(_quoted(field.column))
        values.append(sql)
        params.extend(given)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_quoted(Message._meta.db_table)} ({', '.join(columns)}) "  # noqa: S608 - columns of a model
            f"SELECT {', '.join(values)} FROM ({inner}) j",
            [*params, *inner_params],
        )
        return int(cursor.rowcount)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _noted(context: decision.Context) -> dict[str, Any]:
    """What is stored of the decision with every text; the code of a refused one stands in ``refusal``."""
    return {
        "at": context.at.isoformat(),
        "purpose": context.purpose.pk,
        "material_version": context.material_version,
        "windows": [row.pk for row in openings.Hours.load(context.purpose.kind).rows],
    }


def finish(sender_id: int | None = None) -> int:
    """Close campaigns of which nothing waits any more.

    Args:
        sender_id: only those of one sender.

    Returns:
        How many.
    """
    sending = Campaign.objects.filter(state=Campaign.State.SENDING)
    if sender_id is not None:
        sending = sending.filter(sender=sender_id)
    done = 0
    for campaign in sending.order_by("pk"):
        if queue.is_open(campaign):
            continue
        with history.acting(history.Actor.job("dispatch"), str(workflow.MOVES["complete"].reason)):
            try:
                workflow.complete(campaign)
                done += 1
            except workflow.IllegalMove:  # paused, cancelled or completed meanwhile
                continue
    return done
