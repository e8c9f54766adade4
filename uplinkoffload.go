package hubbub

import (
	"fmt"
	"io"
	"runtime"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// An Offloader is an outside that takes work off the network, as network cards do off
// their machines, and leaves such work to it: frames whose checksum whoever gets them
// computes, and TCP segments of up to 64 KiB that stand for several, to be cut where frames
// matter. That is what makes an uplink fast. A TAP of package edge is one.
//
// Before each frame goes a header of 10 octets that says so: struct virtio_net_hdr of
// linux/virtio_net.h in little-endian order (Virtual I/O Device 1.2, 5.1.6), as
// virtual machines and AF_PACKET sockets have it, too.
type Offloader interface {
	io.ReadWriteCloser
	// Offload is called once, before anything is read or written. If it fails, frames
	// are exchanged by Read and Write, as they are.
	Offload() error
	// ReadParts reads a header, a frame's first octets, and the rest, into three
	// buffers, and returns how many octets that was in all.
	ReadParts([][]byte) (int, error)
	// WriteParts writes a header and a frame, which is in several pieces.
	WriteParts([][]byte) (int, error)
}

// A Trier is an [Offloader] that can be tried, by who must not wait for it. Then what has
// arrived in the meantime is handled together; and whoever has something short to send, such as an
// acknowledgment, writes it himself, without anybody having to be woken. A TAP of package edge is one.
type Trier interface {
	Offloader
	// TryReadParts is ReadParts, but returns zero if it would have to wait.
	TryReadParts([][]byte) (int, error)
	// TryWriteParts is WriteParts, but reports false, and has written nothing, if it would have to wait.
	TryWriteParts([][]byte) (bool, error)
}

const (
	// batchFrames is how many frames from outside are handled together at most.
	batchFrames = 32
	// batchOctets is from how many octets on no more frames are waited to be read.
	batchOctets = 192 << 10
	// batchFrom is how long a frame is, at least, behind which others are always looked for: a
	// short one is likely to be alone, and whoever has sent it waits for its answer.
	batchFrom = 1400
	// sampleShort says behind which of the short ones it is tried nevertheless; where that
	// finds something, many come.
	sampleShort = 8
	// looks is how often it is looked for the next frame before it is waited for: some
	// 10 µs where there is nothing else to do.
	looks = 16
)

// readParts takes frames from outside until there are none any more.
func (u *Uplink) readParts() {
	var r partsReader
	for {
		n, err := u.nextParts(&r)
		for r.octets = 0; n > pkt.VirtioHeaderLen; {
			u.takeParts(&r, n-pkt.VirtioHeaderLen)
			if err != nil || u.try == nil || !r.likely(n) || r.octets >= batchOctets || len(u.batch) >= batchFrames {
				break
			}
			n, err = u.try.TryReadParts(r.next())
			r.crowd = n > 0
		}
		u.inject()
		if err != nil {
			u.end(fmt.Errorf("uplink %q: %w", u.name, err))
			return
		}
	}
}

// nextParts waits for a frame. Behind a long one it first looks some times whether there
// is another, and lets others go on in between: the next is likely to be close, and to
// be woken takes longer than that takes to come, for the kernel that has to wake, too.
func (u *Uplink) nextParts(r *partsReader) (int, error) {
	if u.try != nil && r.octets >= batchFrom {
		for range looks {
			runtime.Gosched()
			if n, err := u.try.TryReadParts(r.next()); n > 0 || err != nil {
				return n, err
			}
		}
	}
	return u.offload.ReadParts(r.next())
}

// A partsReader has the buffers that a frame is read into: its header; its first octets;
// the rest, which is shared from there on.
type partsReader struct {
	header [pkt.VirtioHeaderLen]byte
	head   [pkt.HeadRoom]byte
	rest   pkt.View
	parts  [3][]byte
	octets int // of the frames that are handled together

	crowd bool // there was a frame behind the last one behind which one was looked for
	short int  // frames
}

// likely reports whether it is worth it to look for a frame behind one of n octets.
func (r *partsReader) likely(n int) bool {
	if n >= batchFrom || r.crowd {
		return true
	}
	r.short++
	return r.short%sampleShort == 0
}

// firstOctets is how many octets go to the front: with a tag as many as leave room for
// the longest packet behind them, and fewer than any packet's headers.
const firstOctets = wire.EthernetHeaderLen + wire.VLANTagLen

// next returns room for the next frame.
func (r *partsReader) next() [][]byte {
	if r.rest.Len() == 0 {
		r.rest = pkt.NewView(pkt.MaxView)
	}
	r.parts = [...][]byte{r.header[:], r.head[:firstOctets], r.rest.Bytes()}
	return r.parts[:]
}

// sharedRest is from how many octets of payload on the room that they were read into is
// given away, instead of a copy.
const sharedRest = 4 << 10

// packet makes a packet of the n octets that were read: at least an Ethernet header.
func (r *partsReader) packet(n int) *pkt.Packet {
	known := min(n, firstOctets)
	known += copy(r.head[known:], r.rest.Slice(0, n-known).Bytes())
	head := headersLen(r.head[:known])
	if n < firstOctets || head < firstOctets {
		whole := append(append([]byte(nil), r.head[:min(n, firstOctets)]...), r.rest.Slice(0, max(0, n-firstOctets)).Bytes()...)
		return pkt.FromBytes(whole, head)
	}
	p := pkt.New()
	copy(p.Prepend(head), r.head[:])
	payload := r.rest.Slice(head-firstOctets, n-firstOctets)
	if payload.Len() < sharedRest {
		p.SetBody(pkt.CopyView(payload.Bytes()))
		return p
	}
	p.SetBody(payload)
	r.rest = pkt.View{}
	return p
}

// takeParts lets a frame from outside, or what it stands for, be injected next.
func (u *Uplink) takeParts(r *partsReader, n int) {
	r.octets += n
	if n < wire.EthernetHeaderLen {
		u.discard(r.head[:n], uplinkShort)
		return
	}
	p := r.packet(n)
	tag := p.UntagVirtio(r.header[:])
	if err := p.TakeVirtio(r.header[:]); err != nil {
		u.discard(p.AppendTo(nil), uplinkUnfit)
		p.Release()
		return
	}
	if tag == nil {
		u.arrive(p)
		return
	}
	for part := range p.Parts() {
		part.Tag(tag)
		u.arrive(part)
	}
}

// zeros are what frames are padded with.
var zeros [wire.MinFrame]byte

// TakesLarge reports whether the outside takes segments that stand for several.
func (c uplinkCard) TakesLarge() bool { return c.u.offload != nil }
