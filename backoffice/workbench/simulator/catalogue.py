"""What the shops sell, which taxes they owe for it, and who works there. All amounts are in minor units."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from zlib import crc32

from backoffice_terminal import TaxRate

FR_FOOD, FR_SERVED, FR_STANDARD = TaxRate("FR-5.5", "0.055"), TaxRate("FR-10", "0.10"), TaxRate("FR-20", "0.20")
NY_SALES = TaxRate("NY-8.875", "0.08875")
JP_REDUCED, JP_STANDARD = TaxRate("JP-8", "0.08"), TaxRate("JP-10", "0.10")
GB_STANDARD, GB_ZERO = TaxRate("GB-20", "0.20"), TaxRate("GB-0", "0")


@dataclass(frozen=True)
class Item:
    """`price` is that of one; the taxes depend on where it is eaten."""

    sku: str
    name: str
    price: int
    takeaway: tuple[TaxRate, ...]
    on_table: tuple[TaxRate, ...]

    def taxes(self, order_type: str | None) -> tuple[TaxRate, ...]:
        """The taxes of an order of that type."""
        return self.on_table if order_type == "on_table" else self.takeaway


@dataclass(frozen=True)
class Bottle:
    """What owes `per_piece` to a fund besides its price, and a compound tax of both."""

    sku: str
    name: str
    price: int
    fund: str
    per_piece: int
    tax: TaxRate


@dataclass(frozen=True)
class Shop:
    """A shop. `notes` are the banknotes customers pay with, `tips` the percentages they may leave.

    `gift_card` is what its gift cards are worth; it sells them for less.
    """

    code: str
    name: str
    timezone: str
    currency: str
    prices_include_tax: bool
    items: tuple[Item, ...]
    cashiers: tuple[str, ...]
    opening_float: int
    notes: tuple[int, ...]
    tips: tuple[int, ...]
    gift_card: int
    bottle: Bottle | None = None

    def coded(self, code: str) -> "Shop":
        """The same shop under another code, for a chain that has several like it."""
        return replace(self, code=code)


def _items(
    prefix: str, prices: Iterable[tuple[str, int]], takeaway: tuple[TaxRate, ...], on_table: tuple[TaxRate, ...]
) -> tuple[Item, ...]:
    return tuple(
        Item(f"{prefix}-{number:03}", name, price, takeaway, on_table)
        for number, (name, price) in enumerate(prices, start=1)
    )


PARIS = Shop(
    code="PARIS",
    name="Boulangerie du Canal, Paris",
    timezone="Europe/Paris",
    currency="EUR",
    prices_include_tax=True,
    items=(
        *_items(
            "FR-B",
            [
                ("Baguette tradition", 130),
                ("Pain de campagne", 390),
                ("Croissant au beurre", 125),
                ("Pain au chocolat", 140),
                ("Éclair au café", 360),
                ("Tarte au citron", 420),
                ("Quiche lorraine", 520),
                ("Jambon-beurre", 550),
            ],
            (FR_FOOD,),
            (FR_SERVED,),
        ),
        *_items("FR-C", [("Café", 180), ("Café crème", 350), ("Jus d'orange", 420)], (FR_SERVED,), (FR_SERVED,)),
        *_items("FR-D", [("Verre de Chinon", 480)], (FR_STANDARD,), (FR_STANDARD,)),
    ),
    cashiers=("Anna", "Mehdi", "Camille"),
    opening_float=20_000,
    notes=(500, 1_000, 2_000, 5_000),
    tips=(5, 10),
    gift_card=5_000,
    bottle=Bottle("FR-W-1", "Eau de source", 210, "FR-ECO", 12, FR_FOOD),
)

NEW_YORK = Shop(
    code="NEWYORK",
    name="Mercer Street Bakery, New York",
    timezone="America/New_York",
    currency="USD",
    prices_include_tax=False,
    items=(
        *_items(
            "US-B",
            [("Sourdough loaf", 850), ("Plain bagel", 195), ("Challah", 900), ("Dozen rolls", 1_150)],
            (),
            (NY_SALES,),
        ),
        *_items(
            "US-C",
            [
                ("Drip coffee", 325),
                ("Cold brew", 475),
                ("Bagel with lox", 1_395),
                ("Blueberry muffin", 425),
                ("Turkey club", 1_299),
                ("Cheesecake slice", 699),
            ],
            (NY_SALES,),
            (NY_SALES,),
        ),
    ),
    cashiers=("Denise", "Luis", "Grace"),
    opening_float=15_000,
    notes=(500, 1_000, 2_000, 10_000),
    tips=(15, 18, 20),
    gift_card=2_500,
    bottle=Bottle("US-W-1", "Spring water", 250, "NY-BOTTLE", 5, NY_SALES),
)

TOKYO = Shop(
    code="TOKYO",
    name="Kagurazaka Pan, Tokyo",
    timezone="Asia/Tokyo",
    currency="JPY",
    prices_include_tax=True,
    items=_items(
        "JP-B",
        [
            ("Shokupan", 420),
            ("Melonpan", 240),
            ("Anpan", 220),
            ("Curry pan", 290),
            ("Yakisoba pan", 310),
            ("Cream pan", 230),
            ("Matcha latte", 560),
            ("Hojicha", 380),
            ("Egg sando", 450),
        ],
        (JP_REDUCED,),
        (JP_STANDARD,),
    ),
    cashiers=("Yuki", "Haruto", "Sakura"),
    opening_float=30_000,
    notes=(1_000, 5_000, 10_000),
    tips=(),
    gift_card=3_000,
)

EDINBURGH = Shop(
    code="EDINBURGH",
    name="Stockbridge Bakery, Edinburgh",
    timezone="Europe/London",
    currency="GBP",
    prices_include_tax=True,
    items=(
        *_items(
            "GB-B",
            [
                ("Bread", 320),
                ("Farm House", 360),
                ("Baguette", 210),
                ("Scone", 240),
                ("Medialuna", 180),
                ("Cake", 350),
                ("Tiffin", 260),
            ],
            (GB_ZERO,),
            (GB_STANDARD,),
        ),
        *_items("GB-C", [("Coffee", 280), ("Tea", 220), ("Hot chocolate", 320)], (GB_STANDARD,), (GB_STANDARD,)),
    ),
    cashiers=("Fiona", "Callum", "Isla"),
    opening_float=10_000,
    notes=(500, 1_000, 2_000),
    tips=(10,),
    gift_card=2_000,
)

SHOPS = (PARIS, NEW_YORK, TOKYO, EDINBURGH)

# All that is known of the bakery whose tickets may be replayed is the names of what it sold.
_KNOWN_PRICES = {item.name: item.price for item in EDINBURGH.items}
_GIVEN_AWAY = {"Adjustment"}
_BREAD = {"Bread", "Farm House", "Baguette", "Focaccia", "Brioche and salami", "Scandinavian"}


def item_named(name: str) -> Item:
    """An item of the replayed bakery: the same name always has the same price, between 1.00 and 6.95, and the same tax."""
    digest = crc32(name.encode())
    price = 0 if name in _GIVEN_AWAY else _KNOWN_PRICES.get(name, 100 + digest % 120 * 5)
    tax = GB_ZERO if name in _BREAD else GB_STANDARD
    return Item(f"GB-R-{digest:08x}", name, price, (tax,), (tax,))
