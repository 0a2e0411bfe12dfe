"""Finding a contact among a million by an index: number, name without accents, external id."""

import re

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from consent.contacts.models import Contact, NameWord, words
from consent.core import digests, numbers

# Countries a number without prefix may belong to, in the order tried; the default country comes first.
_NATIONAL = ["IT", "DE", "FR", "ES", "PT", "GB", "US"]


def find(contacts: QuerySet[Contact], typed: str, *, beginnings: bool = True) -> QuerySet[Contact]:
    """Filter ``contacts`` by what a person typed.

    Args:
        contacts: the contacts the reader may see.
        typed: a number in any form (also the beginning of one in international form), an external id, or words of
            a name in any order, each from its beginning, accents and case aside.
        beginnings: the beginning of a number finds it too; not for those who see numbers masked, as it would tell
            them the digits one by one.
    """
    typed = typed.strip()
    if not typed:
        return contacts
    ways = [Contact.objects.filter(external_id=typed)]
    if re.fullmatch(r"[+(\d][+\d\s()./\-–]*", typed):
        digits = re.sub(r"\D", "", typed)
        countries = [settings.DEFAULT_COUNTRY, *_NATIONAL]
        ways.append(Contact.objects.filter(phone__in=numbers.candidates(typed, countries)))
        if beginnings and typed.lstrip("(").startswith(("+", "00")) and len(digits) >= 4:
            ways.append(Contact.objects.filter(phone__prefix="+" + digits.removeprefix("00")))
    if spoken := words(typed):
        # The longest word is likely the rarest: its index finds people, and only theirs are compared with the others.
        longest, *rest = sorted(spoken, key=len, reverse=True)
        named = Contact.objects.filter(pk__in=NameWord.objects.filter(word__prefix=longest).values("contact"))
        for word in rest:
            named = named.filter(Exists(NameWord.objects.filter(contact=OuterRef("pk"), word__prefix=word)))
        ways.append(named)
    # A union, not an OR: PostgreSQL answers each part from its own index.
    first, *others = (way.order_by().values("pk") for way in ways)
    return contacts.filter(pk__in=first.union(*others) if others else first)


def digests_of(typed: str) -> list[str]:
    """The digests, under every readable key, of what a complete number typed in any form can mean."""
    meant = numbers.candidates(typed, [settings.DEFAULT_COUNTRY, *_NATIONAL])
    return [digest for number in meant for digest in digests.digests(number).values()]
