"""What people may: roles and stores are given and taken by whoever has as much, or administers people."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from backoffice.books.models import Membership
from backoffice.books.people import OWN_STORES_ONLY, Reach, reach_of

ADMINISTER = "books.administer_people"


class NotGiven(Exception):
    """Nothing was changed, in words for whoever wanted to."""


class AccessChange(NamedTuple):
    """What is given to people and taken from them, by the ids of groups and stores; whatever is not named stays.

    `everywhere` is True to give every store, also those to come, and False to bind somebody to those that they have.
    """

    give_roles: frozenset[int] = frozenset()
    take_roles: frozenset[int] = frozenset()
    give_stores: frozenset[int] = frozenset()
    take_stores: frozenset[int] = frozenset()
    everywhere: bool | None = None
    may_log_in: bool | None = None


class _Giver(NamedTuple):
    """Who gives, as they stood before: whoever changes themselves has no more for it."""

    pk: int
    rights: frozenset[str]
    reach: Reach
    is_superuser: bool

    @property
    def administers(self) -> bool:
        return self.is_superuser or ADMINISTER in self.rights


def change_access(people: Collection[int], change: AccessChange, *, by: User) -> None:
    """Changes what these people may, all of them or none. Raises NotGiven.

    Only what is named is changed, so that two who work at the same time do not undo each other. Who administers people may
    give everything. Others give what they have themselves, to people who have no more than they do.
    """
    giver = _Giver(by.pk, frozenset(by.get_all_permissions()), reach_of(by), by.is_superuser)
    with transaction.atomic():
        found = list(User.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk"))
        if len(found) != len(set(people)):
            raise NotGiven(_("Somebody of these is there no more."))
        for person in found:
            _check_not_more(person, giver)
            _apply(person, change)
        for person in User.objects.filter(pk__in=[one.pk for one in found]).order_by("pk"):  # without rights remembered
            _check_after(person, giver)
            _check_not_more(person, giver)


def start_with_nothing(person: User, *, by: User) -> None:
    """Binds a new person to the stores of whoever made them, where these are bound themselves."""
    reach = reach_of(by)
    if reach.store_ids is not None:
        Membership.objects.get_or_create(person=person)[0].stores.set(reach.store_ids)


def roles_to_give(by: User) -> list[Group]:
    """The roles that somebody may give and take, by name."""
    groups = Group.objects.prefetch_related("permissions__content_type").order_by("name")
    if by.has_perm(ADMINISTER):
        return list(groups)
    own = by.get_all_permissions()
    return [group for group in groups if _names(group.permissions.all()) - {OWN_STORES_ONLY} <= own]


def _check_not_more(person: User, giver: _Giver) -> None:
    """Raises NotGiven where the person has what the giver has not, unless the giver administers people."""
    if person.is_superuser and not giver.is_superuser:
        raise NotGiven(_("%(person)s may do everything, and is changed only by who may as well.") % {"person": person})
    if giver.administers:
        return
    if not _rights_of(person) - {OWN_STORES_ONLY} <= giver.rights:
        raise NotGiven(_("%(person)s has or would have rights that you have not.") % {"person": person})
    if not _is_within(reach_of(person), giver.reach):
        raise NotGiven(_("%(person)s works or would work in stores that are not yours.") % {"person": person})


def _is_within(reach: Reach, other: Reach) -> bool:
    if reach.store_ids is None or other.store_ids is None:
        return other.store_ids is None
    return reach.store_ids <= other.store_ids


def _check_after(person: User, giver: _Giver) -> None:
    """Raises NotGiven for what makes no sense, whoever gives it."""
    bound = Membership.objects.filter(person=person).exists()
    rights = _rights_of(person)
    if person.pk == giver.pk and (not person.is_active or (giver.administers and not _administers(person, rights))):
        raise NotGiven(_("Nobody shuts themselves out: another administrator has to do that."))
    if person.is_superuser:
        return
    if OWN_STORES_ONLY in rights and not bound:
        raise NotGiven(_("%(person)s sees their own stores only: name these stores.") % {"person": person})
    if ADMINISTER in rights and bound:
        raise NotGiven(_("%(person)s administers people, and so has every store.") % {"person": person})


def _apply(person: User, change: AccessChange) -> None:
    if change.may_log_in is not None and person.is_active != change.may_log_in:
        person.is_active = change.may_log_in
        person.save(update_fields=["is_active"])
    person.groups.remove(*change.take_roles)
    person.groups.add(*change.give_roles)
    if change.everywhere:
        Membership.objects.filter(person=person).delete()
        return
    # Nobody else who has every store is given one: it would take all the others away.
    if change.everywhere is False or OWN_STORES_ONLY in _rights_of(person):
        Membership.objects.get_or_create(person=person)
    membership = Membership.objects.filter(person=person).first()
    if membership is not None:
        membership.stores.remove(*change.take_stores)
        membership.stores.add(*change.give_stores)


def _administers(person: User, rights: Collection[str]) -> bool:
    return person.is_superuser or ADMINISTER in rights


def _rights_of(person: User) -> set[str]:
    """What somebody may, or might if they could log in."""
    rights = Permission.objects.filter(Q(user=person) | Q(group__user=person))
    return _names(rights.select_related("content_type"))


def _names(rights: Iterable[Permission]) -> set[str]:
    return {f"{right.content_type.app_label}.{right.codename}" for right in rights}
