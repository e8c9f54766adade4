package hubbub

import (
	"fmt"
	"io"

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

// readParts takes frames from outside until there are none any more.
func (u *Uplink) readParts() {
	var r partsReader
	for {
		n, err := u.offload.ReadParts(r.next())
		if n > pkt.VirtioHeaderLen {
			u.injectParts(&r, n-pkt.VirtioHeaderLen)
		}
		if err != nil {
			u.end(fmt.Errorf("uplink %q: %w", u.name, err))
			return
		}
	}
}

// A partsReader has the buffers that a frame is read into: its header; its first octets;
// the rest, which is shared from there on.
type partsReader struct {
	header [pkt.VirtioHeaderLen]byte
	head   [pkt.HeadRoom]byte
	rest   pkt.View
	parts  [3][]byte
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

// injectParts gives the LAN a frame from outside, or what it stands for.
func (u *Uplink) injectParts(r *partsReader, n int) {
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
	p.Reason = "it came from outside"
	if tag == nil {
		u.injectPacket(p)
		return
	}
	for part := range p.Parts() {
		part.Tag(tag)
		u.injectPacket(part)
	}
}

// injectPacket gives the LAN a packet.
func (u *Uplink) injectPacket(p *pkt.Packet) {
	p.Pad(wire.MinFrame - wire.FCSLen)
	w := u.network.world
	w.Enter()
	if u.closed || w.Err() != nil {
		u.drop(p, uplinkClosed)
		w.Unlock()
		return
	}
	frames, octets, _ := p.Frames()
	u.in.Add(uint64(frames))
	u.inBytes.Add(uint64(octets))
	u.arrived = p
	w.Leave(u.node)
}

// writeParts hands a packet to the outside as it is.
func (u *Uplink) writeParts(p *pkt.Packet) error {
	p.PutVirtio(u.header[:])
	body := p.Body()
	padding := p.Len() - len(p.Head()) - body.Len()
	u.parts = [...][]byte{u.header[:], p.Head(), body.Bytes(), zeros[:padding]}
	_, err := u.offload.WriteParts(u.parts[:])
	u.parts = [len(u.parts)][]byte{}
	return err
}

// zeros are what frames are padded with.
var zeros [wire.MinFrame]byte

// TakesLarge reports whether the outside takes segments that stand for several.
func (c uplinkCard) TakesLarge() bool { return c.u.offload != nil }
