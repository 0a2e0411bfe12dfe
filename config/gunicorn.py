"""How gunicorn serves Placet. There is no access log: addresses of people and pages stay out of the logs (P10)."""

import copy
from typing import Any

from config import settings

bind = f"127.0.0.1:{settings.PORT}"
worker_class = "gthread"
workers = 1 if settings.DEBUG else 3
threads = 4
timeout = 60
graceful_timeout = 3 if settings.DEBUG else 30
control_socket_disable = True
accesslog = None
logconfig_dict: dict[str, Any] = copy.deepcopy(settings.LOGGING)  # gunicorn edits what it is given
logconfig_dict["loggers"] |= {
    "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
    "gunicorn.access": {"level": "WARNING", "handlers": [], "propagate": False},  # a log config alone turns it on
}
