package edge

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"hubbub/wire"
)

// A TUN is a network card of the kernel without Ethernet: IP packets cross it as they are,
// as VPNs and sandboxes have it. On the LAN it is a station with a MAC address of
// its own. That station answers for the kernel's addresses, which [OpenTUN] is told;
// hosts reach what is behind the kernel by one of them as their gateway. It asks the LAN where
// those are to whom the kernel sends. Groups and broadcasts pass in both directions; frames with a
// VLAN tag, and such as hold no IP packet, go no further.
//
// It is used as a [TAP] is: what it reads and writes are Ethernet frames of the LAN's.
type TUN struct {
	card
	*station
	nudged atomic.Bool // a Read is to look at what the station has to say

	toKernel, fromKernel packets
}

// packets are frames on their way without, or with room for, their Ethernet header.
type packets struct {
	header [headerLen]byte
	parts  [][]byte
	one    [2][]byte
}

// begin gives t its place on the LAN.
func (t *TUN) begin(name string, addrs []netip.Addr) error {
	if len(addrs) == 0 {
		return fmt.Errorf("open TUN %q: by which address does the LAN know the kernel? At least one is needed", name)
	}
	for _, a := range addrs {
		if !a.IsValid() || a.IsMulticast() || a.IsUnspecified() || a.Is4In6() {
			return fmt.Errorf("open TUN %q: %v is no address that the kernel can have on the LAN", name, a)
		}
	}
	hash := fnv.New32()
	hash.Write([]byte(name))
	sum := hash.Sum(nil)
	t.station = newStation(wire.MAC{0x02, 'h', 'b', sum[1], sum[2], sum[3]}, addrs) // locally administered
	t.told = func() {
		if t.nudged.CompareAndSwap(false, true) {
			t.file.SetReadDeadline(time.Unix(1, 0)) // a Read that waits looks again; after Close there is none
		}
	}
	return nil
}

// Read reads one frame; see [TAP.Read].
func (t *TUN) Read(b []byte) (int, error) {
	p := &t.fromKernel
	p.one = [...][]byte{t.in.header[:], b}
	n, err := t.ReadParts(p.one[:])
	return max(0, n-headerLen), err
}

// Write writes one frame; see [TAP.Write].
func (t *TUN) Write(b []byte) (int, error) {
	p := &t.toKernel
	p.one = [...][]byte{t.out.header[:], b}
	if _, err := t.WriteParts(p.one[:]); err != nil {
		return 0, err
	}
	return len(b), nil
}

// ReadParts is Read into several buffers, the first for the header; see [TAP.ReadParts]. The
// second must have room for an Ethernet header.
func (t *TUN) ReadParts(b [][]byte) (int, error) {
	for {
		n, err := t.TryReadParts(b)
		if n > 0 || err != nil {
			return n, err
		}
		n, err = t.in.wait("read", t.behindEthernet(b))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if n = t.arrived(b, n); n > 0 || err != nil {
			return n, err
		}
	}
}

// TryReadParts is ReadParts for who must not wait: it returns zero if there is no frame.
func (t *TUN) TryReadParts(b [][]byte) (int, error) {
	if t.nudged.CompareAndSwap(true, false) {
		t.file.SetReadDeadline(time.Time{}) // fails after Close alone, as what follows then does
	}
	if frame := t.pop(); frame != nil {
		return fill(b, frame), nil
	}
	n, _, err := t.in.once("read", t.behindEthernet(b))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, nil // the station has something to say since
	}
	return t.arrived(b, n), err
}

// fill copies whole into several buffers.
func fill(b [][]byte, whole []byte) (n int) {
	for _, part := range b {
		n += copy(part, whole[n:])
	}
	return n
}

// behindEthernet returns the buffers without room for an Ethernet header.
func (t *TUN) behindEthernet(b [][]byte) [][]byte {
	p := &t.fromKernel
	p.parts = append(append(p.parts[:0], b[0], b[1][min(ethernetLen, len(b[1])):]), b[2:]...)
	return p.parts
}

// arrived makes a frame of a packet of n octets, its header included, and returns how long
// that is, zero if it goes no further for now.
func (t *TUN) arrived(b [][]byte, n int) int {
	if n <= headerLen {
		return 0
	}
	n += ethernetLen
	moveVirtio(b[0], ethernetLen)
	var begin [ethernetLen + wire.IPv6HeaderLen]byte
	known := 0
	for _, part := range b[1:] {
		known += copy(begin[known:], part)
	}
	known = max(ethernetLen, min(known, n-headerLen))
	h, ok := t.address(begin[ethernetLen:known], func() []byte { return bytes.Join(b, nil)[:n] })
	if !ok {
		return 0
	}
	copy(b[1], h[:])
	return n
}

// WriteParts is Write from several buffers, the first of which is the header.
func (t *TUN) WriteParts(b [][]byte) (int, error) {
	parts := t.stripped(b)
	if parts == nil {
		return length(b), nil
	}
	n, err := t.out.wait("write", parts)
	return n + ethernetLen, err
}

// TryWriteParts is WriteParts for who must not wait: it reports false, and has written
// nothing, if the kernel has no room at present.
func (t *TUN) TryWriteParts(b [][]byte) (bool, error) {
	parts := t.stripped(b)
	if parts == nil {
		return true, nil
	}
	_, done, err := t.out.once("write", parts)
	return done, err
}

// stripped returns a frame without its Ethernet header, nil if the kernel doesn't get it.
func (t *TUN) stripped(b [][]byte) [][]byte {
	if len(b) < 2 || len(b[1]) < ethernetLen || !t.passes(b[1], func() []byte { return bytes.Join(b[1:], nil) }) {
		return nil
	}
	p := &t.toKernel
	copy(p.header[:], b[0])
	moveVirtio(p.header[:], -ethernetLen)
	p.parts = append(append(p.parts[:0], p.header[:], b[1][ethernetLen:]), b[2:]...)
	return p.parts
}

func length(b [][]byte) (n int) {
	for _, part := range b {
		n += len(part)
	}
	return n
}

// moveVirtio lets a header (struct virtio_net_hdr) count from so many octets before.
func moveVirtio(header []byte, by int) {
	const needsChecksum, headLen, checksumFrom = 1, 2, 6
	move := func(at int) {
		v := int(binary.LittleEndian.Uint16(header[at:])) + by
		binary.LittleEndian.PutUint16(header[at:], uint16(max(0, v)))
	}
	if header[0]&needsChecksum != 0 {
		move(checksumFrom)
	}
	if header[1] != 0 {
		move(headLen)
	}
}
