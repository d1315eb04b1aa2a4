package internal

import (
	"testing"
	"time"
)

func TestTokenBucketAllow(t *testing.T) {
	bucket := NewTokenBucket(1, 1)
	now := time.Now()
	if !bucket.Allow(now) || bucket.Allow(now) {
		t.Fatal("one request a second is allowed")
	}
}
