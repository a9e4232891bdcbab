"""Time stamps of checkpoints: each is of the note that is kept beside it, and of an authority that is believed."""

from pathlib import Path

from cryptography import x509
from django.conf import settings
from django.db.backends.utils import CursorWrapper
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response
from rfc3161_client.verify import Verifier

from backoffice.audit.findings import Findings

SELECT_STAMPS = """
SELECT c.size, c.note, s.reply, s.stamped_at FROM evidence_stamp s JOIN evidence_checkpoint c ON c.id = s.checkpoint_id
ORDER BY c.size, c.id
"""


def check_stamps(cursor: CursorWrapper, findings: Findings) -> None:
    """There is one a day at most: all are read at once. Whose stamps are believed says TIMESTAMP_CA_FILE."""
    cursor.execute(SELECT_STAMPS)
    rows = cursor.fetchall()
    if not rows:
        return
    try:
        verifier = VerifierBuilder(roots=_roots()).build()
    except (ValueError, OSError) as error:
        findings.add("", "time stamps", "cannot be checked", expected="certificates in TIMESTAMP_CA_FILE", found=error)
        return
    for size, note, reply, stamped_at in rows:
        where = f"time stamp of the checkpoint of size {size}"
        try:
            moment = _moment(verifier, bytes(reply), note.encode())
        except (ValueError, VerificationError) as error:
            findings.add("", where, "signature", expected="as its authority gave it", found=f"{error}")
            continue
        if moment != stamped_at:
            findings.add("", where, "time", expected=moment, found=stamped_at)


def _moment(verifier: Verifier, reply: bytes, note: bytes) -> object:
    """The time in a stamp of this note. Raises ValueError, VerificationError."""
    answer = decode_timestamp_response(reply)
    if answer.status != 0:
        raise ValueError("it is a refusal")
    verifier.verify_message(answer, note)
    return answer.tst_info.gen_time


def _roots() -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(Path(settings.TIMESTAMP_CA_FILE or "").read_bytes())
