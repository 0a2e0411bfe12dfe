from consent.retention.commands import JobCommand


class Command(JobCommand):
    help = "Run the job expire_consents now."
    job = "expire_consents"
