"""What is measured of texting: preflight, launch, a STOP, dispatch. Called by name like ``benchmarks.measures``."""

import json
import multiprocessing
import os
import statistics
import time

import requests
from django.db import connection
from django.test import Client
from django.test.utils import override_settings
from django.utils import timezone

from benchmarks import by_hand, stub, texting_world
from benchmarks.measures import _best, _best_undone, _peak
from benchmarks.stub import SECRET, Stub
from campaigns import dispatch, launch, preflight
from campaigns.gateways.webhook import sign
from campaigns.models import Campaign, InboundMessage, Message, Sender
from consent.contacts.models import Contact
from consent.ledger import decision


def _next() -> Campaign:
    return Campaign.objects.select_related("purpose__brand", "sender", "audience").get(name="Next")


# --- before sending ------------------------------------------------------------------------------------------------


def preflighting(runs: int) -> dict[str, float]:
    """The whole preflight against one statement by hand that judges and groups everybody."""
    campaign, at = _next(), timezone.now()

    def theirs() -> list[tuple]:
        sql, values = by_hand.judged(decision.context_for(campaign.purpose, at))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT refusal, language, country, region, zone, COUNT(*) FROM ({sql}) judged"
                " GROUP BY refusal, language, country, region, zone",
                values,
            )
            return cursor.fetchall()

    found = preflight.run(campaign, at)["counts"]
    by_code: dict[str, int] = {}
    for code, *_group, n in theirs():
        by_code[code or "allowed"] = by_code.get(code or "allowed", 0) + n
    assert by_code == {code: n for code, n in found.items() if n}, (by_code, found)
    return _best(runs, ours=lambda: preflight.run(campaign, at), theirs=theirs)


def launching(runs: int) -> dict[str, float]:
    """Freezing a message for everybody against INSERT … SELECT by hand of the same rows."""
    campaign, at = _next(), timezone.now()

    def theirs() -> None:
        sql, values = by_hand.judged(decision.context_for(campaign.purpose, at))
        columns = texting_world.RECENT + ", consent_id, proof_id"
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO campaigns_message ({columns}) SELECT 'campaign', CASE WHEN j.refusal IN ('',"
                " 'frequency_cap', 'outside_window') THEN 'queued' ELSE 'refused' END, CASE WHEN j.refusal IN ('',"
                " 'frequency_cap', 'outside_window') THEN '' ELSE j.refusal END, %(campaign)s, %(purpose)s,"
                " %(sender)s, j.id, j.phone, j.language, '', '', 0, '{}', %(at)s, %(at)s, '', 0, NULL, '', '',"
                f" j.consent_id, j.proof_id FROM ({sql}) j",
                values | {"campaign": campaign.pk, "sender": campaign.sender_id},
            )

    def ours() -> None:
        assert launch.launch(_next()) == campaign.audience.contacts().count()

    return _best_undone(runs, ours=ours, theirs=theirs)


# --- a STOP --------------------------------------------------------------------------------------------------------


def stopping(runs: int) -> dict[str, float]:
    """The 99th percentile of a signed STOP of a known person, against a bare view that inserts one row."""
    client, address = Client(), "127.0.0.1"
    sender = Sender.objects.get(address="36121").address
    people = list(Contact.objects.filter(pk__in=range(100, 100 + 20 * runs, 20)).values_list("phone", flat=True))
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    with override_settings(ROOT_URLCONF="benchmarks.urls", WEBHOOK_URL="http://127.0.0.1:9/", WEBHOOK_SECRET=SECRET):
        for number, phone in enumerate(people):
            said = {"id": f"bench-{number}", "from": str(phone), "to": sender, "text": "STOP"}
            body, stamp = json.dumps(said).encode(), str(int(time.time()))
            headers = {"X-Placet-Timestamp": stamp, "X-Placet-Signature": sign(SECRET, stamp, body)}
            for name, path in (("ours", "/hooks/webhook/inbound/"), ("theirs", "/bare/")):
                start = time.perf_counter()
                response = client.post(
                    path, body, content_type="application/json", headers=headers, REMOTE_ADDR=address
                )
                times[name].append(time.perf_counter() - start)
                assert response.status_code == 200, (name, response.status_code)
    understood = InboundMessage.objects.filter(gateway="webhook", meaning="opt_out", state="handled").count()
    assert understood == len(people), (understood, len(people))
    return {name: statistics.quantiles(found, n=100)[98] for name, found in times.items()}


# --- dispatch ------------------------------------------------------------------------------------------------------


def _queue(count: int, first: int = 0) -> Sender:
    """So many texts of the campaign waiting at its sender, which uses the stub."""
    campaign = _next()
    Campaign.objects.filter(pk=campaign.pk).update(state="sending", launched_at=timezone.now())
    Sender.objects.filter(pk=campaign.sender_id).update(gateway="webhook")
    allowed = decision.decide(decision.context_for(campaign.purpose, timezone.now(), campaign))
    people = allowed.filter(refusal="", pk__gt=first).order_by("pk")[:count]
    now = timezone.now()
    Message.objects.bulk_create(
        [
            Message(
                kind="campaign", state="queued", campaign=campaign, purpose=campaign.purpose, sender=campaign.sender,
                contact_id=person.pk, consent_id=person.consent_id, proof_id=person.proof_id,
                phone=person.phone.as_e164, language="en", created_at=now, not_before=now,
            )
            for person in people
        ],
        batch_size=1000,
    )  # fmt: skip
    return Sender.objects.get(pk=campaign.sender_id)


def dispatching(count: int) -> dict[str, float]:
    """Dispatch to a stub, a text; against a loop that claims a row, posts the same to the stub, writes the result."""
    gateway = Stub()
    try:
        sender = _queue(count)
        with override_settings(WEBHOOK_URL=gateway.url, WEBHOOK_SECRET=SECRET):
            start = time.perf_counter()
            while dispatch.work(sender.pk):
                pass
            ours = time.perf_counter() - start
        mine = Message.objects.filter(campaign__name="Next")
        sent = mine.filter(state="sent").count()
        assert sent == mine.count() == count, (sent, mine.count())
        mine.update(state="queued", handed_at=None, gateway_id="")
        start = time.perf_counter()
        _bare_loop(gateway.url)
        theirs = time.perf_counter() - start
        mine.delete()
        return {"ours": ours / count, "theirs": theirs / count, "rows": count}
    finally:
        gateway.close()


def _bare_loop(url: str) -> None:
    session = requests.Session()
    session.trust_env = False
    claim = (
        "UPDATE campaigns_message SET state = 'handed', handed_at = %s WHERE id = (SELECT id FROM campaigns_message"
        " WHERE state = 'queued' AND campaign_id = %s ORDER BY id LIMIT 1) RETURNING id, phone"
    )
    campaign = _next().pk
    with connection.cursor() as cursor:
        while True:
            cursor.execute(claim, [timezone.now(), campaign])
            row = cursor.fetchone()
            if row is None:
                return
            body = {"reference": row[0], "from": "36121", "to": row[1], "text": "Mercado Vivo: offers this week, Ada."}
            said = session.post(url, json=body, timeout=10).json()
            cursor.execute(
                "UPDATE campaigns_message SET state = 'sent', gateway_id = %s WHERE id = %s", [said["id"], row[0]]
            )


def growing(count: int, workers: int) -> dict[str, float]:
    """Texts a second of so many workers together, to a stub that takes 10 ms for each."""
    gateway = Stub(delay=0.01)
    try:
        sender = _queue(count)
        env = {name: os.environ[name] for name in ("DATA_DIR", "DATABASE_URL", "DEBUG", "LOG_LEVEL")}
        context = multiprocessing.get_context("spawn")
        processes = [
            context.Process(target=stub.work, args=(env, gateway.url, sender.pk, workers)) for _n in range(workers)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        mine = Message.objects.filter(campaign__name="Next", state="sent")
        handed = sorted(mine.values_list("handed_at", flat=True))
        assert len(handed) == count, (len(handed), count)
        seconds = (handed[-1] - handed[0]).total_seconds()  # type: ignore[operator]  # handed over: never null
        Message.objects.filter(campaign__name="Next").delete()
        return {"per_second": count / seconds}
    finally:
        gateway.close()


def memory_of_dispatch(count: int) -> dict[str, float]:
    """The peak of a dispatch of so many texts, in MB, above what the process had before."""
    gateway = Stub()
    try:
        sender = _queue(count)
        with override_settings(WEBHOOK_URL=gateway.url, WEBHOOK_SECRET=SECRET):
            before = _peak()
            while dispatch.work(sender.pk):
                pass
            found = _peak() - before
        Message.objects.filter(campaign__name="Next").delete()
        return {"mb": found, "rows": count}
    finally:
        gateway.close()
