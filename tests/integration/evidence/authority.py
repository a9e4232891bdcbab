"""A time-stamp authority: `openssl ts -reply` behind a small HTTP server, with certificates of its own."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
ess_cert_id_alg = sha256
"""


class Authority:
    """`/stamp` stamps, `/refuse` refuses, `/replay` gives the first stamp again; the others do as they are called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.replies: list[bytes] = []
        self.over = threading.Event()
        self.roots = folder / "root.pem"
        self.port = 0
        for name, digests in (("stamp", "sha512"), ("refuse", "sha1")):
            said = CONFIG.format(name="Authority", folder=folder, digests=digests)
            (folder / f"{name}.cnf").write_text(said)
        (folder / "serial").write_text("01")
        self._make_certificates()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def reply(self, request: bytes, *, config: str) -> bytes:
        query = self.folder / "query.tsq"
        query.write_bytes(request)
        return openssl("ts", "-reply", "-config", self._config(config), "-section", "tsa", "-queryfile", str(query))

    def _config(self, name: str) -> str:
        return str(self.folder / f"{name}.cnf")

    def _make_certificates(self) -> None:
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        root = ["-keyout", str(self.folder / "root.key"), "-out", str(self.roots), "-extensions", "root"]
        openssl("req", "-x509", "-config", self._config("stamp"), *key, *root, "-subj", "/CN=Root")
        signer = ["-keyout", str(self.folder / "signer.key"), "-out", str(self.folder / "signer.pem")]
        issued = ["-CA", str(self.roots), "-CAkey", str(self.folder / "root.key"), "-extensions", "signer"]
        openssl("req", "-x509", "-config", self._config("stamp"), *key, *signer, *issued)


class _Handler(BaseHTTPRequestHandler):
    authority: Authority

    def do_POST(self) -> None:
        request, path = self.rfile.read(int(self.headers["content-length"])), self.path.strip("/")
        self.authority.asked.append(path)
        if path in {"stamp", "refuse"}:
            self.authority.replies.append(self.authority.reply(request, config=path))
            self._answer(200, self.authority.replies[-1])
        elif path == "replay":
            self._answer(200, self.authority.replies[0])
        elif path == "slow":
            self.authority.over.wait(60)
        elif path == "redirect":
            self._answer(302, b"")
        else:
            self._answer(500 if path == "broken" else 200, path.encode() * 20)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status == 302:
            self.send_header("location", self.authority.url("stamp"))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def running_authority(folder: Path) -> Iterator[Authority]:
    authority = Authority(folder)
    handler = type("Handler", (_Handler,), {"authority": authority})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    authority.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield authority
    finally:
        authority.over.set()
        server.shutdown()
        server.server_close()


def openssl(*words: str) -> bytes:
    """What openssl says on stdout. Raises CalledProcessError."""
    return subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60).stdout
