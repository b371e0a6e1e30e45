"""A print service of CUPS for one test: the real cupsd with folders, port and back end of its own."""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

_PAGES = Path("/usr/share/cups")
_DAEMONS = Path("/usr/lib/cups/daemon")  # what cupsd starts its back ends with
_FILES = """
ServerRoot {root}
RequestRoot {root}/spool
CacheDir {root}/cache
StateDir {root}/state
TempDir {root}/spool/tmp
ServerBin {root}/bin
DataDir {pages}
AccessLog {root}/access_log
ErrorLog {root}/error_log
PageLog {root}/page_log
SystemGroup {group}
Group {group_of_jobs}
Printcap
"""
_SERVER = """
Listen 127.0.0.1:{port}
Browsing Off
WebInterface No
DefaultAuthType None
ErrorPolicy abort-job
LogLevel debug
<Location />
  Order allow,deny
  Allow localhost
</Location>
<Policy default>
  <Limit All>
    Order deny,allow
    Allow all
  </Limit>
</Policy>
"""
# What Debian's `socket` back end does, without the 100 MB of packages around it.
_BACKEND = """#!/bin/bash
address=${DEVICE_URI#hall://}
exec 3<>"/dev/tcp/${address%:*}/${address#*:}" || exit 1
cat "${6:--}" >&3
"""


class Cups:
    """cupsd on a free port of the loopback, in the foreground; `server` is what clients are told with -h."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.server = f"127.0.0.1:{free.getsockname()[1]}"

    def start(self) -> None:
        root = self._root
        for folder in ("spool/tmp", "cache", "state", "bin/backend", "bin/filter"):
            (root / folder).mkdir(parents=True)
        (root / "bin/daemon").symlink_to(_DAEMONS)
        backend = root / "bin/backend/hall"
        backend.write_text(_BACKEND)
        backend.chmod(0o700)  # run as who runs cupsd: its usual user may not enter the test's folder
        mine = grp.getgrgid(os.getgid()).gr_name
        jobs = "lp" if getpass.getuser() == "root" else mine
        (root / "files.conf").write_text(
            _FILES.format(root=root, pages=_PAGES, group=mine, group_of_jobs=jobs)
        )
        (root / "server.conf").write_text(_SERVER.format(port=self.server.rpartition(":")[2]))
        command = ["cupsd", "-f", "-c", root / "server.conf", "-s", root / "files.conf"]
        path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
        program = shutil.which("cupsd", path=path)
        assert program, "Debian package cups-daemon is missing: installer/debian/packages.sh test"
        self._process = subprocess.Popen([program, *command[1:]])
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", int(self.server.rpartition(":")[2])), 1).close()
            except OSError:
                assert self._process.poll() is None, (root / "error_log").read_text()
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("cupsd does not listen")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def run(self, command: str, *arguments: str) -> None:
        """One of the administrator's commands on this server."""
        path = shutil.which(command, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
        assert path, "Debian package cups-client is missing: installer/debian/packages.sh test"
        subprocess.run([path, "-h", self.server, *arguments], check=True, capture_output=True, timeout=10)

    def add_raw_queue(self, name: str, port: int) -> None:
        self.run("lpadmin", "-p", name, "-E", "-v", f"hall://127.0.0.1:{port}")
