package internal

import (
	"sync"
	"time"
)

// TokenBucket limits how many requests a client may send each second.
type TokenBucket struct {
	mu       sync.Mutex
	tokens   float64
	capacity float64
	refill   float64
	last     time.Time
}

// NewTokenBucket returns a full bucket.
func NewTokenBucket(capacity, refill float64) *TokenBucket {
	return &TokenBucket{tokens: capacity, capacity: capacity, refill: refill, last: time.Now()}
}

// Allow takes one token and reports whether there was one.
func (b *TokenBucket) Allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.capacity, b.tokens+now.Sub(b.last).Seconds()*b.refill)
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
