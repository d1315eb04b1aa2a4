// A shopping basket for the golden test.
library basket;

import 'dart:async';

/// Most items a basket may hold.
const int maxItems = 20;

/// What can go wrong with a basket.
enum BasketError {
  full,
  empty;

  /// A sentence for the person.
  String get message => this == full ? 'The basket is full.' : 'The basket is empty.';
}

/// Counts how often it was changed.
mixin Counted on Object {
  int changes = 0;

  void touch() {
    changes++;
  }
}

/// A basket of items with a price.
@immutable
class Basket<T extends Item> extends Base with Counted implements Comparable<Basket> {
  final List<T> _items = [];

  /// Makes an empty basket.
  Basket(this.owner);

  /// Makes a basket from saved [json].
  Basket.fromJson(Map<String, dynamic> json) : owner = json['owner'] as String {
    _items.addAll(read(json));
  }

  /// Reuses a basket of the cache where there is one.
  factory Basket.cached(String owner) {
    return _cache.putIfAbsent(owner, () => Basket(owner));
  }

  /// Sum of all prices.
  double get total => _items.fold(0, (sum, item) => sum + item.price);

  set owner(String value) {
    _owner = value.trim();
  }

  /// Adds an [item].
  ///
  /// Throws [BasketError.full] beyond [maxItems].
  @override
  Future<void> add(T item) async {
    void check() {
      if (_items.length >= maxItems) throw BasketError.full;
    }

    check();
    _items.add(item);
  }

  @override
  bool operator ==(Object other) => other is Basket && other._owner == _owner;

  static int compare(Basket a, Basket b) => a.total.compareTo(b.total);
}

/// Shorthands for baskets.
extension BasketTools on Basket {
  bool get isFree => total == 0;
}

/// Reads baskets from a stream.
Stream<Basket> baskets(Stream<String> lines) async* {
  await for (final line in lines) {
    yield Basket(line);
  }
}

final onEmpty = () {
  print('nothing here');
};

typedef Check = bool Function(Item item);

void main() => print(Basket('me').total);
