"""Whoever stands in PostgreSQL's place gets no password by asking for it."""

import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
PASSWORD = "not-for-strangers"
CLEARTEXT, MD5 = struct.pack("!cII", b"R", 8, 3), struct.pack("!cII4s", b"R", 12, 5, b"salt")
CONNECT = "import django; django.setup(); from django.db import connection; connection.ensure_connection()"


def what_an_impostor_hears(request: bytes, *, role: str) -> bytes:
    """What a process of that role tells a server that asks for its password with this message."""
    heard = b""

    def listen() -> None:
        nonlocal heard
        one, _ = server.accept()
        with one:
            one.settimeout(60)
            while (start := one.recv(4096))[4:8] in {struct.pack("!I", 80877103), struct.pack("!I", 80877104)}:
                one.sendall(b"N")  # neither TLS nor GSSAPI
            assert b"backoffice" in start
            one.sendall(request)
            heard = one.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        impostor = threading.Thread(target=listen)
        impostor.start()
        url = f"postgresql://backoffice:{PASSWORD}@127.0.0.1:{server.getsockname()[1]}/backoffice"
        environment = {**os.environ, "DATABASE_URL": url, "BACKOFFICE_ROLE": role, "PGCONNECT_TIMEOUT": "5"}
        environment |= {"DJANGO_SETTINGS_MODULE": "backoffice.settings", "SECRET_KEY": "of this test"}
        done = subprocess.run(
            [sys.executable, "-c", CONNECT], cwd=CHECKOUT, env=environment, capture_output=True, check=False
        )
        impostor.join(60)
    assert done.returncode != 0
    return heard


@pytest.mark.parametrize("role", ["web", "worker", "command"])
@pytest.mark.parametrize("request_", [CLEARTEXT, MD5], ids=["cleartext", "md5"])
def test_a_server_that_asks_for_the_password_itself_hears_nothing(request_: bytes, role: str) -> None:
    assert what_an_impostor_hears(request_, role=role) == b""
