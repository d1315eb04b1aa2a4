"""The shopping cart of one customer."""

from decimal import Decimal

from .pricing import apply_discount


class Cart:
    """Articles a customer has chosen but not yet paid."""

    def __init__(self):
        self.lines = []

    def add(self, sku, amount, unit_price):
        """Add an article, or more of one that is already there."""
        for line in self.lines:
            if line["sku"] == sku:
                line["amount"] += amount
                return
        self.lines.append({"sku": sku, "amount": amount, "unit_price": Decimal(unit_price)})

    def remove(self, sku):
        self.lines = [line for line in self.lines if line["sku"] != sku]

    def total(self, voucher=None):
        """Sum of all lines, less the discount of a voucher."""
        gross = sum(line["amount"] * line["unit_price"] for line in self.lines)
        return apply_discount(gross, voucher)
