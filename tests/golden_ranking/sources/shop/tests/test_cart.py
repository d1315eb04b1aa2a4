from src.cart import Cart


def test_total_of_cart_with_voucher_discount(voucher):
    cart = Cart()
    cart.add("tea", 2, "3.50")
    assert cart.total(voucher) == 6


def test_remove_article_from_cart():
    cart = Cart()
    cart.add("tea", 2, "3.50")
    cart.remove("tea")
    assert not cart.lines
