"""gunicorn's options. Threads, since under ASGI Django would hold a streamed answer whole in memory."""

import os
from pathlib import Path

wsgi_app = "rowferry.config.wsgi:application"
worker_class = "gthread"
workers = min(2, os.cpu_count() or 1)
threads = 16
graceful_timeout = 30
timeout = 60
keepalive = 5
loglevel = "warning"
errorlog = "-"
control_socket_disable = True
if Path("/dev/shm").is_dir():  # noqa: S108 - the heartbeat file of a worker: on a slow disk it would stall
    worker_tmp_dir = "/dev/shm"  # noqa: S108
