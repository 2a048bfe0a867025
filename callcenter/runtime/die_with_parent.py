"""Runs a command that ends when its starter does: `python -I -S die_with_parent.py STARTER SIGNAL
UID GID COMMAND…` (UID '-': as we are).

Only Linux can promise that (PR_SET_PDEATHSIG); elsewhere the command merely runs. It is a file of
its own, run and then replaced by the command, because the promise must be made after root is given
up and before the command starts, and Python warns of code between fork and exec. Standard library
only; no other module imports it.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(starter: int, signal_number: int, uid: str, gid: str, command: list[str]) -> None:
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
        if (
            os.getppid() != starter
        ):  # it died while we, or this interpreter itself, were getting ready
            os._exit(1)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:])
