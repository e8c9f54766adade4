package wire

import (
	"errors"
	"io"
)

// The kinds of errors. Every error of a parser is of one of these kinds, which
// [errors.Is] tells; its text says in which header and what would be right.
var (
	// ErrShort: the input ends before the header does, or before the length
	// that the header tells. It is also an [io.ErrUnexpectedEOF].
	ErrShort error = &fault{"wire: the packet is too short", io.ErrUnexpectedEOF}
	// ErrLength: a length in the header can't be.
	ErrLength = errors.New("wire: a length in the header is wrong")
	// ErrVersion: the header is of another version of the protocol.
	ErrVersion = errors.New("wire: the version is wrong")
	// ErrChecksum: the bytes are not those that were sent.
	ErrChecksum = errors.New("wire: the checksum is wrong")
)

// A fault is an error that is made once and returned often: hostile packets
// must not cost allocations.
type fault struct {
	text string
	kind error
}

func (f *fault) Error() string { return f.text }

func (f *fault) Unwrap() error { return f.kind }
