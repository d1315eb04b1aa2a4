// Copyright 2019 The Example Authors. All rights reserved.
// Use of this source code is governed by a BSD-style licence.

//go:build linux

// Package stack has a stack of anything.
package stack

import "fmt"

const Limit = 10

var ErrEmpty = fmt.Errorf("empty")

// Stack is last in, first out.
type Stack[T any] struct {
	items []T // what is on it
	mu    sync.Mutex
}

// Reader reads.
type Reader interface {
	// Read reads into p.
	Read(p []byte) (n int, err error)
	fmt.Stringer
}

type (
	// Handler handles one.
	Handler func(w Writer, r *Request)
	// Pair is two.
	Pair struct {
		A, B int
	}
	ID = string
)

// New makes one.
func New[T any](items ...T) *Stack[T] {
	return &Stack[T]{items: items}
}

// Push puts an item on top.
//
//	s.Push(1)
//
//nolint:revive
func (s *Stack[T]) Push(item T) {
	grow := func(n int) { s.items = append(s.items, make([]T, n)...) }
	grow(1)
	s.items = append(s.items, item)
}

func (Stack[T]) Len() int { return 0 }

func (h Handler) Serve(w Writer) { h(w, nil) }

var defaultHandler = func(w Writer, r *Request) {
	w.Write(nil)
}

func init() {
	register(func() error { return nil })
}

func asm(x uint64) uint64
