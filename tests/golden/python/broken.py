def before(a):
    """Still found."""
    return a


def unfinished(a, b:
    return a +


class Half:
    def method(self):
        return [1, 2


def after():
    return 1
