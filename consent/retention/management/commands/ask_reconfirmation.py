from consent.retention.commands import JobCommand


class Command(JobCommand):
    help = "Run the job ask_reconfirmation now."
    job = "ask_reconfirmation"
