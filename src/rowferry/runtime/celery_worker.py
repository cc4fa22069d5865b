"""Celery's command line, with SIGTERM meaning a soft stop: `-m rowferry.runtime.celery_worker ARGUMENTS`.

To Celery it means: wait for the running tasks, however long. Remapped, they have `worker_soft_shutdown_timeout`; what
is not ready by then waits again. Celery reads this variable while it is being imported, before it looks at any app.
"""

import os
import runpy
import warnings

from rowferry.exports.integrity import ed25519  # noqa: F401  (loaded once, before the pool's processes are forked)

if __name__ == "__main__":
    # Celery warns of root because pickled messages could run code; ours are JSON, and nothing else is accepted.
    warnings.filterwarnings("ignore", message="(?s).*superuser privileges")
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    runpy.run_module("celery", run_name="__main__", alter_sys=True)
