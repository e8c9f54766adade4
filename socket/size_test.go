package socket

import (
	"testing"
	"unsafe"
)

// A program may have a million sockets. Go's allocator has a size class of 112
// octets.
func TestASocketIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Socket{}); size > 112 {
		t.Errorf("a socket takes %d octets, want at most 112", size)
	}
}

// What a listener is watched for, and how long its calls wait, is its own; what its
// connections have from it is theirs.
func TestWhatIsInherited(t *testing.T) {
	listener := &Socket{other: &onlyTCP, rare: &more{timeout: 5, sendBuffer: 6, watched: new(watching)}}
	var s Socket
	s.inherit(listener)
	if s.rare != nil {
		t.Errorf("inherited %+v", s.rare)
	}
	listener.rare.linger = 7
	listener.rare.kept = map[place]int{{1, 2}: 3}
	s.inherit(listener)
	if m := s.more(); m.linger != 7 || m.kept[place{1, 2}] != 3 || m.timeout != 0 || m.sendBuffer != 0 || m.watched != nil {
		t.Errorf("inherited %+v", m)
	}
	s.rare.kept[place{1, 2}] = 4
	if listener.rare.kept[place{1, 2}] != 3 {
		t.Error("the listener has changed with its connection")
	}
	if onlyTCP != (other{}) || nothingMore.choices != (choices{}) || nothingMore.kept != nil || nothingMore.watched != nil {
		t.Error("what all sockets share has changed")
	}
}
