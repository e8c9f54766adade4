package edge

import "os"

// A TAP is a network card of the kernel, seen from its cable's other end.
//
// A Read returns one Ethernet frame without frame check sequence, and blocks
// until the kernel sends one; b must have room for it (18 bytes and the card's
// MTU), what doesn't fit is lost. A Write hands the kernel one frame; it fails
// with EIO while the card is down. Both may be called at the same time. Frames
// of the kernel have whole checksums and are at most as long as the card's MTU:
// a TAP offers no offloading.
type TAP struct {
	file *os.File
	name string
}

// Name returns the card's name.
func (t *TAP) Name() string { return t.name }

// Read reads one frame. After Close it returns an error that is
// [os.ErrClosed].
func (t *TAP) Read(b []byte) (int, error) { return t.file.Read(b) }

// Write writes one frame of at least 14 bytes.
func (t *TAP) Write(b []byte) (int, error) { return t.file.Write(b) }

// Close gives the card up, and makes a Read that waits return. The kernel
// removes a card that [OpenTAP] has made.
func (t *TAP) Close() error { return t.file.Close() }
