"""Which tables are watched. A further one is one line in a migration that runs after the table's own:

operations = [watch_table("alerts_channel", about="alert channel", title=["name"])]
"""

import json
from collections.abc import Mapping, Sequence

from django.db.migrations import RunSQL

WATCH = """
SET LOCAL lock_timeout = '3s';
CREATE TRIGGER note_{number} AFTER {on} ON {table} FOR EACH ROW EXECUTE FUNCTION trail_note_change('{how}');
"""
STOP = """
SET LOCAL lock_timeout = '3s';
DROP TRIGGER note_{number} ON {table};
"""
ANY_CHANGE = "INSERT OR UPDATE OR DELETE"


def watch_table(
    table: str,
    *,
    about: str,
    title: Sequence[str],
    key: str = "id",
    store: str = "",
    leave_out: Sequence[str] = (),
    hide: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    what: Mapping[str, str] | None = None,
    on: str = ANY_CHANGE,
    number: int = 1,
) -> RunSQL:
    """The operation that has every change of a table noted, with its reverse.

    `about` is the kind of thing, `key` the column with its id, `title` those that people call it by, and `store` the one
    that says of which store it is. Of `leave_out`, which the service itself changes, nothing is noted; of `hide`, that
    there is another value, and not which. `names` has a query for columns that refer to another row: its $1 is the
    column's text, and it gives what people call that row. `what` says what an INSERT, UPDATE or DELETE is; `on` is
    when the trigger looks, and `number` tells two triggers of a table apart.
    """
    how: dict[str, object] = {"about": about, "title": title, "key": key, "store": store}
    how |= {"leave_out": leave_out, "hide": hide, "names": names or {}, "what": what or {}}
    words = json.dumps(how).replace("'", "''")
    return RunSQL(WATCH.format(number=number, on=on, table=table, how=words), STOP.format(number=number, table=table))
