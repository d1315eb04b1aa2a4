"""Stock keeping: what is on the shelves and what is promised to customers."""

from dataclasses import dataclass


class OutOfStock(Exception):
    """Raised when an order asks for more than there is."""


@dataclass
class StockItem:
    """One article on a shelf."""

    sku: str
    quantity: int
    reserved: int = 0


class Inventory:
    """All articles of a warehouse."""

    def __init__(self, items):
        self._items = {item.sku: item for item in items}

    def reserve(self, sku, amount):
        """Put an amount aside so that nobody else can buy it."""
        item = self._items[sku]
        if item.quantity - item.reserved < amount:
            raise OutOfStock(sku)
        item.reserved += amount

    def release_expired_reservations(self, now):
        """Give back what was put aside for carts that were left alone too long."""
        for item in self._items.values():
            item.reserved = sum(1 for hold in item.holds if hold.until > now)

    def low_stock(self, threshold=5):
        """Articles that should be ordered again soon."""
        return [item for item in self._items.values() if item.quantity < threshold]
