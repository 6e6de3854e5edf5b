"""Runs a command that writes to a named pipe: through_pipe.py PIPE COPY COMMAND... What it wrote goes to COPY."""

import os
import stat
import subprocess
import sys

pipe, copy = sys.argv[1:3]
os.mkfifo(pipe)
# Opened for writing too, so that a command that never opens the pipe leaves no reader waiting.
reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
os.set_blocking(reader, True)
keeper = os.open(pipe, os.O_WRONLY)
with subprocess.Popen(["cat"], stdin=reader, stdout=open(copy, "wb"), close_fds=True) as cat:
    os.close(reader)
    status = subprocess.run(sys.argv[3:], check=False).returncode
    os.close(keeper)
if not stat.S_ISFIFO(os.stat(pipe).st_mode):
    sys.exit(f"{pipe} was replaced")
sys.exit(status)
