"""Turns this process into another program, which ends with its supervisor and runs under an identity that it accepts.

It is run as a script (`python -I -S launch.py …`) rather than between fork and exec, where a process with threads can
safely do almost nothing. It imports nothing from the project.
"""

import ctypes
import os
import pwd
import signal
import sys
from pathlib import Path

SAME = "same"
NAMESPACE = "namespace"
NOBODY = "nobody"
FAILED = 126

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1


def nobody_ids() -> tuple[int, int]:
    """The user and group ids of `nobody`, looked up by name if the machine knows it."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return entry.pw_uid, entry.pw_gid


def enter_namespace() -> None:
    """Becomes `nobody` inside a new user namespace. Outside, the process and its files keep their owner."""
    uid, gid = nobody_ids()
    outside_uid, outside_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"unshare: {os.strerror(code)}")
    for name, line in (
        ("uid_map", f"{uid} {outside_uid} 1"),
        ("setgroups", "deny"),
        ("gid_map", f"{gid} {outside_gid} 1"),
    ):
        Path("/proc/self", name).write_text(line)


def become_nobody() -> None:
    """Gives up root for good."""
    uid, gid = nobody_ids()
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def end_with(supervisor: int, signal_number: int) -> None:
    """Has the kernel send `signal_number` when the supervisor dies, however it dies. Does nothing outside Linux."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != supervisor:  # it died before the line above
        os.kill(os.getpid(), signal.SIGKILL)


def main(supervisor: str, signal_number: str, identity: str, directory: str, *command: str) -> None:
    """Changes the directory, then the identity, then asks for the signal, which a later change of identity would cancel."""
    try:
        os.chdir(directory)
        if identity == NAMESPACE:
            enter_namespace()
        elif identity == NOBODY:
            become_nobody()
        end_with(int(supervisor), int(signal_number))
        os.execv(command[0], command)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error}\n")
        sys.exit(FAILED)


if __name__ == "__main__":
    main(*sys.argv[1:])
