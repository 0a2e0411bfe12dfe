"""What beat runs and when, as one literal. Registered jobs bring their own schedule; sweeps are listed here."""

from celery.schedules import crontab

from consent.core import jobs


def beat_schedule() -> dict[str, dict]:
    """Every registered job through the one runner, and the sweep that picks up interrupted imports."""
    return {
        **{
            f"run {job.name} on its schedule": {
                "task": "retention.run_job",
                "schedule": job.schedule,
                "args": [job.name],
            }
            for job in jobs.registered()
        },
        "send what is due, settle what a dead worker left": {"task": "campaigns.sweep", "schedule": 10.0},
        "continue imports whose worker died": {"task": "ledger.sweep_imports", "schedule": crontab()},
    }
