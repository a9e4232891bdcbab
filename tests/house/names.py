"""One name, one thing: within the service, no class or public function shares its name with another."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.house.sources import SERVICE, Breach, Source, public

# Django finds a management command by this name.
OF_THE_FRAMEWORK = {"Command"}


def names_defined_twice(sources: Iterable[Source]) -> Iterator[Breach]:
    """Names that two modules define, or one module twice. Methods and nested classes have their class to tell them apart."""
    places = defaultdict(list)
    for source in sources:
        if source.is_in(*SERVICE):
            for node in public(source.tree):
                places[node.name].append(source.place(node))
    for name, found in sorted(places.items()):
        if len(found) > 1 and name not in OF_THE_FRAMEWORK:
            yield Breach("names-defined-twice", name, found[0], f"{name} is defined in {', '.join(found[1:])} as well")
