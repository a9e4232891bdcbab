"""Every container is killed, and every one is restarted, while the till sells."""

import os
import signal

from tests.rehearsal.play import Play
from tests.unit.deployment.files import LONG_RUNNING

SALES_AFTERWARDS = 5


def play(play: Play) -> None:
    for service in LONG_RUNNING:
        with play.step(f"`{service}` is killed (SIGKILL)"):
            before = play.container(service, "{{.State.Pid}}")
            os.kill(int(before), signal.SIGKILL)
            play.selling.wait_for_sales(SALES_AFTERWARDS)
            play.wait_until_well(service)
            assert play.container(service, "{{.State.Pid}}") != before
    for service in LONG_RUNNING:
        with play.step(f"`docker compose restart {service}`"):
            play.shell.type(f"docker compose restart {service}")
            play.selling.wait_for_sales(SALES_AFTERWARDS)
            play.wait_until_well(service)
