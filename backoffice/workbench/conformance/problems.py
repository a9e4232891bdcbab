"""The problems that the service answers with (protocol §9), in its own words. A test compares them with the service's."""

from collections.abc import Mapping

PROBLEM = "application/problem+json"
TYPE_PREFIX = "https://backoffice.example/problems/"

PROBLEMS: Mapping[str, tuple[int, str, str]] = {
    "body-malformed": (400, "The body is not JSON in UTF-8.", ""),
    "digest-mismatch": (400, "The body does not match its Content-Digest.", ""),
    "cursor-invalid": (400, "This service did not issue that cursor.", ""),
    "credential-invalid": (401, "The credential is not valid.", "Activate the terminal again."),
    "activation-code-invalid": (403, "The activation code is not valid.", "Ask head office for a new code."),
    "not-found": (404, "There is nothing here for this terminal.", ""),
    "shift-unknown": (
        404, "This shift was never opened.", "Open it first, then send the batch again: nothing is lost.",
    ),
    "method-not-allowed": (405, "This address does not support that method.", ""),
    "body-timeout": (408, "The body did not arrive in time.", ""),
    "shift-already-open": (409, "This terminal already has an open shift.", "Close the open shift first."),
    "length-required": (411, "The request does not say how long its body is.", ""),
    "too-large": (413, "The body is larger than the service accepts.", ""),
    "media-type": (415, "The body is in a format that the service does not accept.", ""),
    "identifier-reused": (
        422, "This identifier is already in use for something else.",
        "It was used before with different content, or by another terminal.",
    ),
    "envelope-invalid": (422, "This is not the message that this address expects.", ""),
    "too-many-requests": (429, "This terminal is sending too many requests.", ""),
    "internal": (500, "Something went wrong here. Nothing was lost: send it again.", ""),
    "unavailable": (503, "The service cannot store anything at the moment.", "Send again with the same identifiers."),
}  # fmt: skip
"""By code: the status, the title, and the detail where it is not the title again."""
