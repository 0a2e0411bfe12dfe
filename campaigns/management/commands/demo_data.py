"""``manage.py demo_data``: a made-up world to try Placet with, only in an empty database."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from campaigns.demo import build
from consent.contacts.models import Contact
from consent.ledger.demo import people


class Command(BaseCommand):
    help = "Fill an empty database with demo users, notices, contacts, consents, campaigns and texts. Development only."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "Demo data has public passwords, so it is for development only. Set DEBUG=on to try it, "
                "or make users with: manage.py createsuperuser"
            )
        if get_user_model().objects.exists() or Contact.objects.exists():
            self.stdout.write("There is data already, so no demo data was added.")
            return
        build.build()
        self.stdout.write(f"{Contact.objects.count()} demo contacts are on record.")
        self.stdout.write(f"Log in as {', '.join(people.USERS)}; the password is {people.PASSWORD}")
