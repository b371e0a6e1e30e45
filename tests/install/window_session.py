"""A morning at a workstation that `clerk-app enrol` made: its own settings and keyring, at full verbosity.

python window_session.py FOLDER, the clerk's password on standard input; prints the number of its case.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

sys.path += [str(Path(__file__).parents[1] / "integration"), str(Path(__file__).parents[2])]
from workstation_kit import CLERK, Window

from clerk_app import logs, settings
from clerk_app.bootstrap import open_workstation, real_parts
from clerk_app.desk import calling, sign_in
from clerk_app.desk.ports import LinkState
from clerk_app.devices.card.simulator import Fault, SimulatedReader
from clerk_app.failures import Failure


def main(folder: Path, password: str) -> None:
    told = settings.load(folder)
    logs.start(told.folder / "logs", verbose=True)
    reader = SimulatedReader()
    window = Window(open_workstation(told, replace(real_parts(told), reader=reader)))
    window.start()
    window.until_link(LinkState.ONLINE)
    window.until(lambda: window.desk.catalogue.count > 0)
    try:
        sign_in.sign_in(window.desk, CLERK.staff_no, "not the password")
    except Failure as failure:
        sys.stderr.write(f"{failure}\n")
    sign_in.sign_in(window.desk, CLERK.staff_no, password)
    calling.call_next(window.desk, window.operator)
    reader.lay("resident", Fault.UNREADABLE)
    sys.stderr.write(f"{window.card_failure()}\n")
    reader.remove()
    case = window.accept()
    window.until_printed(case)
    window.until_registered(case)
    sign_in.sign_out(window.desk, window.operator)
    window.close()
    sys.stdout.write(f"{case.number}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.stdin.readline().strip())
