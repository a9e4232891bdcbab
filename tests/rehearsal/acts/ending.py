"""The shift is closed and settles; the books are derived again; each sale is there once."""

from tests.rehearsal.play import Play


def play(play: Play) -> None:
    with play.step("The till closes; every sale is in the books once") as note:
        sold = len(play.selling.sales)
        state = play.selling.close()
        assert state == "reconciled", state
        sold = len(play.selling.sales)
        there = play.sql("SELECT count(*), count(DISTINCT number), count(DISTINCT order_id) FROM sales_order")
        assert there == f"{sold}|{sold}|{sold}", f"sold {sold}, there {there}"
        play.shell.type("docker compose exec -T web python manage.py verify_books")
        note(f"{sold} sales, shift reconciled, `verify_books` finds nothing")
