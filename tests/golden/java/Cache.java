/*
 * Licensed under the Apache License, Version 2.0.
 */
package com.example.cache;

import java.util.Map;

/**
 * A cache with a limit, see {@link Map}.
 *
 * <p>Thread-safe.
 *
 * @param <K> the keys
 */
@ThreadSafe
public final class Cache<K, V> extends Base<K> implements Closeable {
  private static final int LIMIT = 10;
  private final Map<K, V> values;

  // Counts hits.
  private long hits, misses;

  /** Makes an empty one. */
  public Cache() {
    this.values = new HashMap<>();
  }

  public Cache(Map<K, V> values) {
    this.values = values;
  }

  static {
    System.loadLibrary("cache");
  }

  /**
   * Looks a key up.
   *
   * @param key what to look up
   * @return the value or null
   */
  @Override
  @Nullable
  public V get(final K key) throws IOException {
    Runnable count = () -> hits++;
    count.run();
    return values.get(key);
  }

  public V get(K key, V fallback) {
    return values.getOrDefault(key, fallback);
  }

  private final Function<K, V> loader = (key) -> { return null; };

  public Iterator<K> iterator() {
    return new Iterator<K>() {
      @Override
      public boolean hasNext() {
        return false;
      }
    };
  }

  /** One entry. */
  static class Entry<K> {
    K key;

    boolean matches(K other) {
      return key.equals(other);
    }
  }

  interface Listener {
    void evicted(Object key);

    default void cleared() {}
  }

  enum Policy {
    LRU, LFU {
      @Override int rank() { return 2; }
    };

    int rank() {
      return 1;
    }
  }
}

record Point(int x, int y) {
  Point {
    if (x < 0) throw new IllegalArgumentException();
  }

  double length() {
    return Math.sqrt(x * x + y * y);
  }
}

@interface Marker {
  String value() default "";
}
