package pkt

import (
	"bytes"
	"testing"
)

// What was lent is the lender's own again, and whoever holds part of it doesn't see what
// becomes of it.
func TestWhatWasLentIsTakenBack(t *testing.T) {
	for _, x := range []struct {
		name     string
		from, to int // what somebody holds
		back     bool
	}{
		{"nobody holds any", 0, 0, true},
		{"somebody holds all", 0, 5000, false},
		{"somebody holds the end", 4000, 5000, false},
	} {
		own, want := fill(5000, 3), fill(5000, 3)
		v := Lend(own)
		if &v.Bytes()[0] != &own[0] {
			t.Errorf("%s: it was copied", x.name)
		}
		var held View
		if x.to > 0 {
			held = v.Slice(x.from, x.to).Retain()
		}
		if back := v.Reclaim(x.from); back != x.back {
			t.Errorf("%s: free to be taken back %v, want %v", x.name, back, x.back)
		}
		clear(own)
		if !bytes.Equal(held.Bytes(), want[x.from:x.to]) {
			t.Errorf("%s: what is held has changed", x.name)
		}
		if x.to > 0 && held.References() != 1 {
			t.Errorf("%s: %d references, want 1", x.name, held.References())
		}
		held.Release()
	}
}

// A packet that goes where another lock is needed takes a copy along.
func TestAPacketThatEmigratesHasItsOwnPayload(t *testing.T) {
	own, want := fill(3000, 4), fill(3000, 4)
	v := Lend(own)
	p := New()
	p.SetBody(v.Slice(1000, 2000).Retain())
	p.Emigrate()
	if &p.Body().Bytes()[0] == &own[1000] {
		t.Error("the packet has the lender's octets")
	}
	if v.Reclaim(0) {
		t.Error("nobody holds any, though a packet does")
	}
	clear(own)
	if !bytes.Equal(p.Body().Bytes(), want[1000:2000]) {
		t.Error("the payload has changed")
	}
	p.Release()
}

// Nothing is put behind what was lent: the storage behind it is the lender's.
func TestNothingIsAddedToWhatWasLent(t *testing.T) {
	own := fill(100, 5)
	var q Queue
	v := Lend(own[:50])
	q.Append(v.Retain())
	q.AppendBytes([]byte("more"))
	if !bytes.Equal(own, fill(100, 5)) {
		t.Error("the lender's storage was written to")
	}
	v.Reclaim(0)
	q.AppendBytes([]byte("more"))
	got := make([]byte, 58)
	if q.CopyAt(got, 0) != 58 || string(got[50:]) != "moremore" {
		t.Errorf("the queue holds %q", got)
	}
}
