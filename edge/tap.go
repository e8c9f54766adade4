package edge

// A TAP is a network card of the kernel, seen from its cable's other end.
//
// A Read returns one Ethernet frame without frame check sequence, and blocks
// until the kernel sends one; b must have room for it (18 bytes and the card's
// MTU), what doesn't fit is lost. A Write hands the kernel one frame; it fails
// with EIO while the card is down. Reading and writing may go on at the same time, each
// by one goroutine at a time, in whichever way. Frames of the kernel have whole checksums
// and are at most as long as the card's MTU.
//
// [TAP.Offload] makes it a card that leaves checksums and the cutting of long segments
// to the other end, in both directions. An uplink of hubbub calls it.
type TAP struct{ card }

// headerLen is how long the header is that goes before each frame: see
// [TAP.ReadParts].
const headerLen = 10

// Read reads one frame. After Close it returns an error that is
// [os.ErrClosed].
func (t *TAP) Read(b []byte) (int, error) {
	n, err := t.ReadParts(t.in.behindHeader(b))
	return max(0, n-headerLen), err
}

// Write writes one frame of at least 14 bytes.
func (t *TAP) Write(b []byte) (int, error) {
	n, err := t.WriteParts(t.out.behindHeader(b))
	return max(0, n-headerLen), err
}

// ReadParts is Read into several buffers, of which one after the other is filled. The
// first has 10 bytes, and gets what the kernel says about the frame: struct
// virtio_net_hdr of linux/virtio_net.h, in little-endian order. It counts.
func (t *TAP) ReadParts(b [][]byte) (int, error) { return t.in.wait("read", b) }

// WriteParts is Write from several buffers, the first of which is such a header.
func (t *TAP) WriteParts(b [][]byte) (int, error) { return t.out.wait("write", b) }

// TryReadParts is ReadParts for who must not wait: it returns zero if there is no frame.
func (t *TAP) TryReadParts(b [][]byte) (int, error) {
	n, _, err := t.in.once("read", b)
	return n, err
}

// TryWriteParts is WriteParts for who must not wait: it reports false, and has written
// nothing, if the kernel has no room at present.
func (t *TAP) TryWriteParts(b [][]byte) (bool, error) {
	_, done, err := t.out.once("write", b)
	return done, err
}
