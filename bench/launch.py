"""Runs one command and says what it cost: `python -I -S bench/launch.py OUTPUT COMMAND…`, its output going into a file.

Linux counts the memory of whoever starts a process into that process's peak, so this program imports next to nothing
and all measured commands are started by it. It prints: exit status, seconds, seconds of CPU, peak memory in KiB.
"""

import os
import sys
import time

if __name__ == "__main__":
    output, *command = sys.argv[1:]
    into_file = (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    started = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=[into_file])
    _, status, used = os.wait4(child, 0)
    seconds = time.perf_counter() - started
    print(os.waitstatus_to_exitcode(status), seconds, used.ru_utime + used.ru_stime, used.ru_maxrss)
