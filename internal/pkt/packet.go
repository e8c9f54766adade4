package pkt

import (
	"encoding/binary"
	"hash/crc32"

	"hubbub/wire"
)

// HeadRoom is the most that the headers of one frame take: Ethernet with a
// tag (18), IPv4 with options (60), TCP with options (60), rounded up.
const HeadRoom = 144

// A Packet is a frame on its way: its headers in one piece, at most HeadRoom
// bytes, then a shared payload, then padding. The frame check sequence is not
// among the bytes; [Packet.FCS] computes it.
type Packet struct {
	// What travels beside the bytes and is never on the wire: the event that
	// sent the frame, the event that caused that, and why it was sent. Zero
	// and empty where nobody watches.
	ID     uint64
	Cause  uint64
	Reason string // such as "delayed ACK"
	RFC    string // such as "RFC 9293, 3.8.6.3"

	start  int32 // the head is store[start:]
	pad    int32 // zeros behind the payload
	fcs    uint32
	hasFCS bool // the bytes changed on the way: fcs is what was sent
	summed bool // see Vouch

	// A checksum that is computed when somebody looks: see DeferChecksum.
	deferred         bool
	sumFrom, sumInto int32 // indices of store
	pseudo           wire.Sum

	size  int32 // of a large packet: see MakeLarge
	home  *Pool // where it goes when it is released, nil if to all
	body  View
	store [HeadRoom]byte
}

// New returns an empty Packet with room for all headers. Any goroutine may release it.
func New() *Packet { return (*Pool)(nil).New() }

// FromBytes returns a Packet that holds a copy of frame, the first head bytes
// of it (at most HeadRoom) as its head. frame is at most HeadRoom+MaxView.
func FromBytes(frame []byte, head int) *Packet {
	head = min(head, HeadRoom, len(frame))
	p := New()
	copy(p.Prepend(head), frame)
	p.body = CopyView(frame[head:])
	return p
}

// Release gives the Packet back. It must not be used again.
func (p *Packet) Release() {
	p.body.Release()
	p.ID, p.Cause, p.Reason, p.RFC = 0, 0, "", ""
	p.pad, p.fcs, p.hasFCS, p.summed, p.deferred, p.size, p.body = 0, 0, false, false, false, 0, View{}
	p.home.put(p)
}

// Clone returns a second Packet with the same bytes and facts: its head is
// its own, its payload shared.
func (p *Packet) Clone() *Packet {
	c := p.home.get()
	*c = *p
	c.body.Retain()
	return c
}

// Prepend makes the head n bytes longer at its front and returns those bytes,
// to be filled: a layer's header goes before what the layers above wrote.
func (p *Packet) Prepend(n int) []byte {
	p.start -= int32(n)
	return p.store[p.start : int(p.start)+n : int(p.start)+n]
}

// Strip takes n bytes off the front of the head.
func (p *Packet) Strip(n int) { p.start += int32(n) }

// Stripped returns the n bytes that were taken off the front of the head last, nil
// where there is no room for so many: then none were.
func (p *Packet) Stripped(n int) []byte {
	if int(p.start) < n {
		return nil
	}
	return p.store[int(p.start)-n : p.start]
}

// Head returns the bytes of the headers, which the owner may change in place.
func (p *Packet) Head() []byte { return p.store[p.start:] }

// Body returns the payload, without a reference.
func (p *Packet) Body() View { return p.body }

// SetBody makes v the payload and takes over its reference.
func (p *Packet) SetBody(v View) {
	p.body.Release()
	p.body = v
}

// Pad adds zeros at the end until the frame has n bytes (IEEE 802.3, 4.2.3.3).
func (p *Packet) Pad(n int) { p.pad += int32(max(0, n-p.Len())) }

// Cut makes the frame n bytes long, by taking bytes off its end.
func (p *Packet) Cut(n int) {
	over := p.Len() - n
	if over <= 0 {
		return
	}
	padding := min(over, int(p.pad))
	payload := min(over-padding, p.body.Len())
	p.pad -= int32(padding)
	p.body.end -= int32(payload)
	if rest := over - padding - payload; rest > 0 {
		// A head ends where the store does: it moves up.
		head := p.Head()
		copy(head[rest:], head)
		p.Strip(rest)
	}
}

// Len returns the number of bytes, the frame check sequence not counted.
func (p *Packet) Len() int { return HeadRoom - int(p.start) + p.body.Len() + int(p.pad) }

// Payload returns the n bytes behind the first off, with a reference: shared
// where they lie in the body, copied where part of them is in the head or in
// the padding. It returns fewer than n bytes where the frame ends before, and
// at most MaxView.
func (p *Packet) Payload(off, n int) View {
	n = min(n, p.Len()-off, MaxView)
	if n <= 0 {
		return View{}
	}
	if v, ok := p.within(off, n); ok {
		return v.Retain()
	}
	v := NewView(n)
	p.copyFrom(v.Bytes(), off)
	return v
}

// within returns the n bytes behind the first off, without a reference, if they lie in the body.
func (p *Packet) within(off, n int) (View, bool) {
	from := off - (HeadRoom - int(p.start))
	if from < 0 || from+n > p.body.Len() {
		return View{}, false
	}
	return p.body.Slice(from, from+n), true
}

// Detach is Payload for a packet that is only to be released any more: where the bytes lie in
// the body, it hands its reference over.
func (p *Packet) Detach(off, n int) View {
	v, ok := p.within(off, n)
	if !ok || n <= 0 {
		return p.Payload(off, n)
	}
	p.body = View{}
	return v
}

// copyFrom fills b with the bytes from off on.
func (p *Packet) copyFrom(b []byte, off int) {
	p.complete()
	for _, part := range [...][]byte{p.Head(), p.body.Bytes()} {
		if off < len(part) {
			b = b[copy(b, part[off:]):]
		}
		off = max(0, off-len(part))
	}
	clear(b)
}

// AppendTo appends the frame's bytes, without the frame check sequence.
func (p *Packet) AppendTo(b []byte) []byte {
	p.complete()
	b = append(b, p.Head()...)
	b = append(b, p.body.Bytes()...)
	for range p.pad {
		b = append(b, 0)
	}
	return b
}

// FCS returns the frame check sequence as the sender put it on the cable
// (IEEE 802.3, 3.2.9). It is computed when somebody asks: bytes that nothing
// has touched since always match it.
func (p *Packet) FCS() uint32 {
	if p.hasFCS {
		return p.fcs
	}
	return p.computeFCS()
}

// FCSOK reports whether the frame check sequence matches the bytes.
func (p *Packet) FCSOK() bool { return !p.hasFCS || p.fcs == p.computeFCS() }

func (p *Packet) computeFCS() uint32 {
	p.complete()
	sum := crc32.ChecksumIEEE(p.Head())
	sum = crc32.Update(sum, crc32.IEEETable, p.body.Bytes())
	var zeros [64]byte
	for left := int(p.pad); left > 0; left -= len(zeros) {
		sum = crc32.Update(sum, crc32.IEEETable, zeros[:min(left, len(zeros))])
	}
	return sum
}

// DeferChecksum says that the transport's header begins at the octet from of the head, that
// the checksum at the octet into of that is still zero, and that pseudo is the
// pseudo header's sum. As by a card that takes this work off its machine, it is
// computed only when the bytes are looked at: by a capture, a cable that
// damages them, the outside. Nobody in the network need verify it.
func (p *Packet) DeferChecksum(from, into int, pseudo wire.Sum) {
	p.summed, p.deferred = true, true
	p.sumFrom = p.start + int32(from)
	p.sumInto, p.pseudo = p.sumFrom+int32(into), pseudo
}

// complete computes the checksum that was deferred.
func (p *Packet) complete() {
	if !p.deferred {
		return
	}
	p.deferred = false
	sum := p.pseudo.Add(p.store[p.sumFrom:]).Add(p.body.Bytes()).Fold()
	binary.BigEndian.PutUint16(p.store[p.sumInto:], sum)
}

// Vouch says that the transport's checksum was computed over the very bytes
// that the Packet holds. A card vouches so for what never left the machine;
// FlipBit takes it back.
func (p *Packet) Vouch() { p.summed = true }

// Vouched reports whether the transport's checksum need not be verified.
func (p *Packet) Vouched() bool { return p.summed }

// FlipBit inverts the i-th bit on the cable, counted from the first byte's
// least significant bit, which Ethernet sends first; the bits behind the
// bytes are the frame check sequence's.
func (p *Packet) FlipBit(i int) {
	p.fcs, p.hasFCS, p.summed = p.FCS(), true, false
	octet, bit := i/8, byte(1)<<(i%8)
	switch head := p.Head(); {
	case octet < len(head):
		head[octet] ^= bit
	case octet < p.Len():
		p.ownBody()
		p.body.Bytes()[octet-len(head)] ^= bit
	default:
		p.fcs ^= 1 << (i - 8*p.Len())
	}
}

// ownBody gives the Packet a payload of its own, the padding part of it.
func (p *Packet) ownBody() {
	from := len(p.Head())
	v := NewView(p.Len() - from)
	p.copyFrom(v.Bytes(), from)
	p.SetBody(v)
	p.pad = 0
}
