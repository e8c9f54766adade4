package workloads

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// bufferSize is what is written and read at once, by everybody.
const bufferSize = 64 << 10

// payload is what is sent: random, and the same again after three buffers, so
// that a buffer lost, doubled or exchanged shows.
var payload = func() []byte {
	b := make([]byte, 3*bufferSize)
	rand.NewChaCha8([32]byte{'h', 'u', 'b'}).Read(b)
	return b
}()

// checkAll compares all of what was read, from that place of the stream on.
func checkAll(offset int64, b []byte) error {
	for len(b) > 0 {
		at := int(offset % int64(len(payload)))
		n := min(len(b), len(payload)-at)
		if !bytes.Equal(b[:n], payload[at:at+n]) {
			return fmt.Errorf("wrong bytes arrived, among the %d from %d on", n, offset)
		}
		b, offset = b[n:], offset+int64(n)
	}
	return nil
}

// probe is how many bytes checkEnds looks at.
const probe = 16

// checkEnds compares the first and the last bytes of what was read: what can
// be done without slowing down the fastest.
func checkEnds(offset int64, b []byte) error {
	if len(b) <= 2*probe {
		return checkAll(offset, b)
	}
	if err := checkAll(offset, b[:probe]); err != nil {
		return err
	}
	end := len(b) - probe
	return checkAll(offset+int64(end), b[end:])
}
