from consent.retention.commands import JobCommand


class Command(JobCommand):
    help = "Run the job remind_expiring now."
    job = "remind_expiring"
