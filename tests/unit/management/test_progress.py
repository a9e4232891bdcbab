"""How far a long command is, as people see it."""

from io import StringIO

from backoffice.management.progress import ProgressBar, progress_in_words


class Screen(StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def shown(stream: StringIO, *, seconds: list[float]) -> str:
    """What is written when so much time has passed at each of the calls."""
    moments = iter([0.0, *seconds])
    with ProgressBar("orders", stream=stream, clock=lambda: next(moments)) as bar:
        for done, _ in enumerate(seconds, start=1):
            bar.show(done * 250, 1000)
    return stream.getvalue()


def test_a_terminal_sees_a_bar_with_the_time_that_is_left_and_nothing_of_it_afterwards() -> None:
    said = shown(Screen(), seconds=[10.0])
    assert "[######..................] 25%, 0:30 left: 250 of 1,000 orders, 25 a second" in said
    assert said.endswith("\r\033[K")


def test_elsewhere_there_is_a_line_now_and_then() -> None:
    assert shown(StringIO(), seconds=[29.0, 31.0, 32.0]) == "50%, 0:31 left: 500 of 1,000 orders, 16 a second\n"


def test_what_takes_no_time_is_not_talked_about() -> None:
    assert shown(Screen(), seconds=[0.1, 1.9]) == ""
    assert shown(StringIO(), seconds=[29.0]) == ""


def test_nothing_to_do_and_nothing_done_have_words_too() -> None:
    assert progress_in_words(0, 0, seconds=0, things="orders") == "100%: 0 of 0 orders, 0 a second"
    assert progress_in_words(0, 10, seconds=5, things="orders") == "0%: 0 of 10 orders, 0 a second"
