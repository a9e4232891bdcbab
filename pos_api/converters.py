"""How identifiers stand in addresses."""

from uuid import UUID

from django.urls.converters import StringConverter

from backoffice.domain.scalars import is_canonical_uuid


class IdentifierConverter(StringConverter):
    """A UUID in the canonical 36-character form, in either case (protocol §2.5).

    Any other text is None, not another address: who asks is still known first, and then told what an identifier is
    (`TerminalView.initial`).
    """

    def to_python(self, value: str) -> UUID | None:  # type: ignore[override]
        return UUID(value) if is_canonical_uuid(value) else None

    def to_url(self, value: UUID) -> str:  # type: ignore[override]
        return str(value)
