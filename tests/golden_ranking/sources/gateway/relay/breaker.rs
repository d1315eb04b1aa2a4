//! Stops calling a backend that keeps failing.

use std::time::{Duration, Instant};

/// Whether calls go through.
#[derive(Debug, PartialEq)]
pub enum State {
    Closed,
    Open { since: Instant },
    HalfOpen,
}

/// Opens after too many failures in a row, and tries again after a while.
pub struct CircuitBreaker {
    state: State,
    failures: u32,
    limit: u32,
    pause: Duration,
}

impl CircuitBreaker {
    pub fn new(limit: u32, pause: Duration) -> Self {
        CircuitBreaker { state: State::Closed, failures: 0, limit, pause }
    }

    /// Count a failed call; trips the breaker at the limit.
    pub fn record_failure(&mut self, now: Instant) {
        self.failures += 1;
        if self.failures >= self.limit {
            self.state = State::Open { since: now };
        }
    }

    /// Forget earlier failures after a call that worked.
    pub fn record_success(&mut self) {
        self.failures = 0;
        self.state = State::Closed;
    }

    pub fn may_call(&mut self, now: Instant) -> bool {
        if let State::Open { since } = self.state {
            if now.duration_since(since) < self.pause {
                return false;
            }
            self.state = State::HalfOpen;
        }
        true
    }
}
