"""gunicorn's options. Threads, since under ASGI Django would hold a streamed answer whole in memory."""

import math
import os
from pathlib import Path

from rowferry.config import environment

wsgi_app = "rowferry.config.wsgi:application"
worker_class = "gthread"
workers = min(2, os.cpu_count() or 1)
threads = 16  # more than ROWFERRY_FILES_AT_ONCE: slow clients leave some for the others
graceful_timeout = max(1, math.ceil(environment.limits()["ROWFERRY_GRACE"]))  # `processes` waits longer
timeout = 60
keepalive = 5
logger_class = "rowferry.runtime.log_config.RequestLog"
logconfig_dict = environment.log()
control_socket_disable = True
if Path("/dev/shm").is_dir():  # noqa: S108 - the heartbeat file of a worker: on a slow disk it would stall
    worker_tmp_dir = "/dev/shm"  # noqa: S108
