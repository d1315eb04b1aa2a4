"""Prices, taxes and vouchers."""

from decimal import ROUND_HALF_UP, Decimal

VAT_RATES = {"de": Decimal("0.19"), "fr": Decimal("0.20"), "lu": Decimal("0.17")}


def apply_discount(gross, voucher):
    """Lower a price by the percentage of a voucher, never below zero."""
    if voucher is None or voucher.expired:
        return gross
    return max(Decimal(0), gross * (100 - voucher.percent) / 100)


def add_value_added_tax(net, country):
    """Net price plus the tax of a country."""
    return round_to_cents(net * (1 + VAT_RATES[country]))


def round_to_cents(amount):
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
