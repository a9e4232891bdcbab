"""How addresses carry identifiers."""

from uuid import UUID

from django.urls.converters import StringConverter

from backoffice.domain.scalars import is_canonical_uuid


class IdentifierConverter(StringConverter):
    """A UUID in the canonical 36-character form, in either case (protocol §2.5).

    Any other text becomes None rather than no match, so that `TerminalView.initial` can check the credential first and
    then say what is wrong.
    """

    def to_python(self, value: str) -> UUID | None:  # type: ignore[override]
        return UUID(value) if is_canonical_uuid(value) else None

    def to_url(self, value: UUID) -> str:  # type: ignore[override]
        return str(value)
