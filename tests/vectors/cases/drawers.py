"""What a drawer holds from its opening to its close, and what is over, short, left in it or carried to the safe."""

from tests.vectors.building import (
    KUWAIT,
    PARIS,
    TOKYO,
    DrawerCase,
    Place,
    ShiftOfDay,
    goods,
    movement,
    order,
    pay,
    refund,
)

LEDGER = "ledger, Worked examples"
DIFFERS = ("opening-float-differs@/opening_float",)
WITHIN = Place(settings={"max_over_short": 500})


def one(name: str, shift: ShiftOfDay, *, at: Place = PARIS, source: str = "protocol §6") -> DrawerCase:
    return DrawerCase(name=name, shifts=(shift,), at=at, source=source)


SOLD = order("sold from a drawer", goods(4350))
RETURNED = refund("given back from a drawer", goods(-1000))
MOVED = (
    movement("change for a drawer", 5000),
    movement("a safe drop of a drawer", 3000, kind="cash_out", reason="safe_drop"),
    movement("tips out of a drawer", 800, kind="cash_out", reason="tips"),
)
FLOAT = "1000 D 20000, 1010 C 20000"

CASES = (
    one("an empty shift", ShiftOfDay(opening_float=20000, counted=20000, opening_entry=FLOAT)),
    one("no float, nothing sold, nothing counted", ShiftOfDay(opening_float=0, counted=0)),
    one(
        "cash sold, given back and moved, and all of it there",
        ShiftOfDay(
            opening_float=20000,
            orders=(SOLD, {**RETURNED, "number": 1002}),
            movements=MOVED,
            counted=24550,
            opening_entry=FLOAT,
        ),
    ),
    one(
        "short by 3.50 at the close",
        ShiftOfDay(opening_float=20000, counted=19650, opening_entry=FLOAT, over_short_entry="6900 D 350, 1000 C 350"),
        source=LEDGER,
    ),
    one(
        "over by 1.00 at the close",
        ShiftOfDay(opening_float=20000, counted=20100, opening_entry=FLOAT, over_short_entry="1000 D 100, 6900 C 100"),
    ),
    DrawerCase(
        name="the next float goes between drawer and safe, where the close left nothing said",
        source=LEDGER,
        shifts=(
            ShiftOfDay(
                opening_float=20000,
                orders=(order("sold before the safe", goods(41250)),),
                counted=61250,
                opening_entry=FLOAT,
            ),
            ShiftOfDay(opening_float=20000, counted=20000, opening_entry="1010 D 41250, 1000 C 41250"),
        ),
    ),
    DrawerCase(
        name="what is left in the drawer is opened with",
        source=LEDGER,
        shifts=(
            ShiftOfDay(
                opening_float=20000,
                orders=(order("sold and carried to the safe", goods(41250)),),
                counted=61250,
                float_left=20000,
                opening_entry=FLOAT,
                to_the_safe_entry="1010 D 41250, 1000 C 41250",
            ),
            ShiftOfDay(opening_float=20000, counted=20000),
        ),
    ),
    DrawerCase(
        name="less is opened with than was left",
        source=LEDGER,
        shifts=(
            ShiftOfDay(
                opening_float=20000,
                orders=(order("sold, and some of it lost at night", goods(41250)),),
                counted=61250,
                float_left=20000,
                opening_entry=FLOAT,
                to_the_safe_entry="1010 D 41250, 1000 C 41250",
            ),
            ShiftOfDay(opening_float=15000, counted=15000, flags=DIFFERS, opening_entry="6900 D 5000, 1000 C 5000"),
        ),
    ),
    DrawerCase(
        name="all of it is left, and half of it is there",
        shifts=(
            ShiftOfDay(
                opening_float=10000, counted=10000, float_left=10000, opening_entry="1000 D 10000, 1010 C 10000"
            ),
            ShiftOfDay(opening_float=5000, counted=5000, flags=DIFFERS, opening_entry="6900 D 5000, 1000 C 5000"),
        ),
    ),
    DrawerCase(
        name="more is opened with than was left",
        shifts=(
            ShiftOfDay(
                opening_float=20000,
                counted=20000,
                float_left=10000,
                opening_entry=FLOAT,
                to_the_safe_entry="1010 D 10000, 1000 C 10000",
            ),
            ShiftOfDay(opening_float=12000, counted=12000, flags=DIFFERS, opening_entry="1000 D 2000, 6900 C 2000"),
        ),
    ),
    one(
        "more is left than was counted: the safe adds to it",
        ShiftOfDay(
            opening_float=5000,
            counted=5000,
            float_left=20000,
            opening_entry="1000 D 5000, 1010 C 5000",
            to_the_safe_entry="1000 D 15000, 1010 C 15000",
        ),
    ),
    one(
        "short, and the rest carried to the safe",
        ShiftOfDay(
            opening_float=20000,
            counted=19000,
            float_left=15000,
            opening_entry=FLOAT,
            over_short_entry="6900 D 1000, 1000 C 1000",
            to_the_safe_entry="1010 D 4000, 1000 C 4000",
        ),
    ),
    one(
        "a blind close, which head office counts later",
        ShiftOfDay(
            opening_float=20000,
            counted=None,
            float_left=10000,
            state="discrepant",
            differences=("cash.count",),
            opening_entry=FLOAT,
        ),
    ),
    one(
        "over by as much as the store allows",
        ShiftOfDay(opening_float=20000, counted=20500, opening_entry=FLOAT, over_short_entry="1000 D 500, 6900 C 500"),
        at=WITHIN,
    ),
    one(
        "a scanned barcode as the count",
        ShiftOfDay(
            opening_float=1000,
            counted=96385074,
            state="discrepant",
            differences=("cash.over_short",),
            opening_entry="1000 D 1000, 1010 C 1000",
            over_short_entry="1000 D 96384074, 6900 C 96384074",
        ),
        at=WITHIN,
    ),
    one(
        "yen and an adjustment of cash to card",
        ShiftOfDay(
            opening_float=30000,
            orders=(
                order("yen into a drawer", goods(990)),
                {
                    **order("keyed as cash in yen", adjusts=SOLD["order_id"], payments=pay(cash=-990, card=990)),
                    "number": 1002,
                },
            ),
            counted=30000,
            opening_entry="1000 D 30000, 1010 C 30000",
        ),
        at=TOKYO,
    ),
    one(
        "dinars", ShiftOfDay(opening_float=50250, counted=50250, opening_entry="1000 D 50250, 1010 C 50250"), at=KUWAIT
    ),
)
