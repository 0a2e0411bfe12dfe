from consent.retention.commands import JobCommand


class Command(JobCommand):
    help = "Run the job refresh_figures now."
    job = "refresh_figures"
