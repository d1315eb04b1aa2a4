// Copyright 2020 Example.
#include <vector>
#include "vector.hpp"

namespace math {
namespace detail {

constexpr int kLimit = 10;

/// Halves a value.
template <typename T>
[[nodiscard]] constexpr T half(const T& value) noexcept {
  return value / 2;
}

}  // namespace detail

using Real = double;

/** A vector of numbers. */
template <typename T, int N = 3>
class Vector final : public Base<T> {
 public:
  Vector() = default;
  explicit Vector(T x) : data_{x}, size_(1) {}
  ~Vector() { clear(); }

  Vector(const Vector&) = delete;

  /// The length.
  T length() const override;

  T& operator[](int index) { return data_[index]; }
  explicit operator bool() const { return size_ > 0; }
  bool operator()(int a) const { return a > 0; }

  template <typename U>
  auto cast() const -> Vector<U> {
    auto convert = [this](const T& value) -> U {
      return static_cast<U>(value);
    };
    return Vector<U>(convert(data_[0]));
  }

  friend std::ostream& operator<<(std::ostream& os, const Vector& v) {
    return os << v.size_;
  }

  static Vector zero() { return {}; }

  struct Iterator {
    T* at;
    Iterator& operator++() { ++at; return *this; }
  };

  enum class Kind : char { Row, Column };

 private:
  T data_[N];
  int size_ = 0;
};

template <typename T, int N>
T Vector<T, N>::length() const {
  return detail::half(size_);
}

Matrix::Matrix(int rows, int columns)
    : rows_(rows), columns_(columns) {
  resize();
}

Matrix::~Matrix() {}

bool Matrix::operator==(const Matrix& other) const {
  return rows_ == other.rows_;
}

const std::string& Matrix::name() const { return name_; }

void free_function(int a, int b = 2) {}

template <>
void specialised<int>(int value) {}

auto global_lambda = [](int x) { return x + 1; };

FMT_API FMT_NOINLINE auto prefixed(int a) -> int {
  return a;
}

template <class T>
concept Addable = requires(T a, T b) { a + b; };

}  // namespace math

void math::outside(int x) {
  (void)x;
}

namespace a::b {
struct Point { int x, y; } origin;
}

extern "C" {
int c_function(void) { return 0; }
}

TEST(VectorTest, HasLength) {
  EXPECT_EQ(1, 1);
}

int main(int argc, char** argv) try {
  return 0;
} catch (...) {
  return 1;
}

/// Opens a pool.
Pool::Pool(int size) try : size_(size), slots_(new Slot[size]) {
  fill();
} catch (const std::bad_alloc&) {
  report();
}

/// Names it, or says why not.
const char*& Pool::label() try {
  return label_;
} catch (...) {
  throw;
}
