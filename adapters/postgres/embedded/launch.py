"""Started as a program of its own: gives up root, ties its life to the parent thread, and becomes PostgreSQL.

A program and not a `preexec_fn`, because Python code between fork and exec can deadlock in a process with threads.

    python -I -S launch.py UID GID PARENT_PID FOLDER PROGRAM [ARGUMENT ...]

`{folder}` in the arguments becomes the folder's name. For root that is a descriptor which was opened before the rights
are dropped, so that an ordinary account can own a folder whose parents are closed to it, and no parent has to be opened.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    uid, gid, parent = (int(argument) for argument in sys.argv[1:4])
    folder, command = sys.argv[4], sys.argv[5:]
    os.umask(0o077)
    os.chdir("/")
    if os.geteuid() == 0:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        os.set_inheritable(opened, True)
        folder = f"/proc/self/fd/{opened}"
        os.setgroups([gid])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After setuid, which clears it. SIGINT is PostgreSQL's fast shutdown.
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != parent:
            sys.exit("HiveSync ended while it was starting PostgreSQL")
    command = [argument.replace("{folder}", folder) for argument in command]
    os.execv(command[0], command)


main()
