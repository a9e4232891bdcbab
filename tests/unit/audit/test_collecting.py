"""What an audit collects while it goes."""

from backoffice.audit.findings import MOST_KEPT, AuditReport, Findings, Ticks, Waiting
from backoffice.audit.gathered import Gathered
from backoffice.audit.ledger import Effects


def test_ticks_are_a_set_of_numbers_of_any_size() -> None:
    ticks = Ticks()
    numbers = [1, 7, 8, 65_535, 65_536, -3, 10**18]
    assert all(ticks.add(number) for number in numbers)
    assert not any(ticks.add(number) for number in numbers)
    assert all(number in ticks for number in numbers)
    assert not any(number in ticks for number in (0, 2, 9, 65_537, -4, 3, 10**18 + 1))


def test_sets_of_two_shares_become_one_and_tell_what_was_in_both() -> None:
    one, other = Ticks(), Ticks()
    for number in (1, 70_000, -3):
        one.add(number)
    for number in (2, 70_000, 10**18, -3):
        other.add(number)
    assert (len(one), len(other)) == (3, 4)
    assert sorted(one.merge(other)) == [-3, 70_000]
    assert len(one) == 5
    assert all(number in one for number in (1, 2, 70_000, 10**18, -3))


def test_an_entry_that_serves_two_shares_is_a_difference() -> None:
    one, other = Gathered(), Gathered()
    for gathered in (one, other):
        gathered.ledger.met.add(7)
        gathered.ledger.totals[1, "EUR", "4000"][0] += 5
    one.merge(other)
    assert one.ledger.totals[1, "EUR", "4000"] == [10, 0]
    assert [found.where for found in one.findings.kept] == ["journal entry 7"]


def test_the_list_of_differences_stays_bounded_when_shares_come_together() -> None:
    one, other = Findings(), Findings()
    for findings in (one, other):
        for number in range(MOST_KEPT - 1):
            findings.add("", str(number), "total", expected=1, found=2)
    one.merge(other)
    assert (len(one.kept), one.count) == (MOST_KEPT, 2 * (MOST_KEPT - 1))


def test_effects_are_summed_between_marks() -> None:
    effects = Effects([10, 20])
    for entry_id, amount in ((9, 1), (10, 20), (11, 300), (19, 4000), (21, 50000)):
        effects.add(entry_id, amount)
    assert effects.between == [1, 4320, 50000]
    assert effects.until(10) == 1
    assert effects.until(20) == 4321


def test_the_list_of_differences_is_bounded_and_the_rest_counted() -> None:
    findings = Findings()
    for number in range(MOST_KEPT + 5):
        findings.add("PAR1", f"order {number}", "total", expected=1, found=None)
    report = AuditReport([], findings.kept, findings.count, Waiting()).as_json()
    assert len(report["differences"]) == MOST_KEPT + 1
    assert report["differences"][0] == {
        "store": "PAR1",
        "where": "order 0",
        "what": "total",
        "expected": "1",
        "found": "nothing",
    }
    assert report["differences"][-1]["what"] == "5 more differences are not listed"
