// SPDX-License-Identifier: MIT
//! Shapes and their areas.
//!
//! Nothing else.

use std::fmt;

const LIMIT: usize = 10;

/// A point.
///
/// ```
/// let p = Point { x: 0, y: 0 };
/// ```
#[derive(Debug, Clone)]
pub struct Point<T = f64> {
    /// Across.
    pub x: T,
    pub y: T,
}

pub struct Unit;
pub struct Pair(pub u8, u8);

pub enum Shape {
    Circle { radius: f64 },
    Square(f64),
}

union Bits {
    int: u32,
    float: f32,
}

/// Anything with an area.
pub trait Area: fmt::Debug {
    const SIDES: usize;
    /// The area.
    fn area(&self) -> f64;
    fn twice(&self) -> f64 {
        self.area() * 2.0
    }
}

impl<T: Copy> Point<T> {
    /// Makes one.
    #[inline]
    #[must_use]
    pub const fn new(x: T, y: T) -> Self {
        Self { x, y }
    }

    pub async unsafe fn raw(&mut self) {}
}

impl fmt::Display for Point<f64> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.x, self.y)
    }
}

impl<'a, T> From<&'a Point<T>> for Shape where T: Into<f64> {
    fn from(_: &'a Point<T>) -> Shape { Shape::Square(1.0) }
}

impl Marker for Unit {}

mod detail {
    //! Inner documentation.

    /// Halves a number.
    pub(super) fn half(x: f64) -> f64 {
        fn inner(y: f64) -> f64 { y / 2.0 }
        let twice = |z: f64| z * 2.0;
        inner(twice(x) / 2.0)
    }
}

/// Builds a list.
#[macro_export]
macro_rules! list {
    ($($x:expr),*) => { vec![$($x),*] };
}

extern "C" {
    fn strlen(s: *const u8) -> usize;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        assert_eq!(detail::half(2.0), 1.0);
    }
}
