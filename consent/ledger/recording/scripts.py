"""What is read out: for every active purpose the published words in force, in each language that has them."""

from dataclasses import dataclass, field

from consent.ledger.models import Brand, Notice, PrivacyPolicy, Purpose


@dataclass
class Block:
    """One question of the page.

    Attributes:
        purpose: what is asked; its brand is loaded.
        scripts: the published notice in force, by language code.
        policies: the brand's published privacy policy in force, by language code.
    """

    purpose: Purpose
    scripts: dict[str, Notice] = field(default_factory=dict)
    policies: dict[str, PrivacyPolicy] = field(default_factory=dict)


def blocks() -> list[Block]:
    """A block per purpose in use, by brand and position; three queries however many there are."""
    found = {
        p.pk: Block(p)
        for p in Purpose.objects.filter(active=True)
        .select_related("brand")
        .order_by("brand__name", "brand_id", "position", "name", "pk")
    }
    # The newest version comes last and stays.
    for notice in Notice.objects.filter(purpose__in=found, published_at__isnull=False).order_by("version"):
        found[notice.purpose_id].scripts[notice.language] = notice
    policies: dict[int, dict[str, PrivacyPolicy]] = {}
    for policy in PrivacyPolicy.objects.filter(published_at__isnull=False).order_by("version"):
        policies.setdefault(policy.brand_id, {})[policy.language] = policy
    for block in found.values():
        block.policies = policies.get(block.purpose.brand_id, {})
    return list(found.values())


def by_brand(found: list[Block]) -> dict[Brand, list[Block]]:
    """The blocks of each brand, in order."""
    brands: dict[Brand, list[Block]] = {}
    for block in found:
        brands.setdefault(block.purpose.brand, []).append(block)
    return brands
