"""Types that msgspec must meet in one thread.

It learns a type when it first meets it, and threads that bring it the same one at once crash the process (0.22).
"""

from collections.abc import Mapping
from typing import Any

import msgspec


def learn_types(module: Mapping[str, Any]) -> None:
    """Shows it every struct in the `globals()` of a module, while one thread imports it."""
    for kind in module.values():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind is not msgspec.Struct:
            msgspec.json.Decoder(kind)
