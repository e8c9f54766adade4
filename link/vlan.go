package link

import (
	"encoding/binary"
	"fmt"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// PortConfig says which VLANs a port of a Bridge belongs to, and who is behind it.
type PortConfig struct {
	// Trunk makes it a port for tagged frames. Otherwise it is an access port:
	// frames go in and out untagged.
	Trunk bool
	// VLAN is that of an access port, 1 to 4094; 0 means 1. On a trunk it is
	// the native VLAN, whose frames are untagged; 0 means none.
	VLAN uint16
	// Allowed are the VLANs that a trunk carries beside its native VLAN; nil
	// means all.
	Allowed []uint16
	// Router says that a multicast router is behind the port, whether or not one
	// is heard there.
	Router bool
	// Hosts says that only hosts are behind the port: router advertisements of
	// IPv6 that enter there are dropped (RA-Guard, RFC 6105).
	Hosts bool
}

// The VLAN identifiers that a port may have (IEEE 802.1Q, table 9-2).
const (
	firstVLAN = 1
	lastVLAN  = 4094
)

// A port is what a Bridge knows of one of its ports.
type port struct {
	trunk   bool
	vlan    uint16             // of an access port, or native
	allowed *[4096 / 64]uint64 // nil: all
	router  bool
	hosts   bool
	last    Passage
}

// A Passage is what [Bridge.Pass] found out about the last frame that came by a
// port: most are from and to the same stations as the one before.
type Passage struct {
	head    [wire.EthernetHeaderLen]byte // of the frame, which has no tag
	changes uint32                       // of the table, when that was found out; 0: nothing was
	out     int
	from    *learned
}

// LastPassage returns the passage of the last frame that Pass has sent on from a port, which
// changes with the next one.
func (b *Bridge) LastPassage(in int) *Passage { return &b.ports[in].last }

// Fits reports whether a frame may take the passage through the switch b, too.
func (a *Passage) Fits(b *Bridge, p *pkt.Packet) bool {
	head := p.Head()
	return len(head) >= len(a.head) && [len(a.head)]byte(head) == a.head && a.changes == b.stations.changes && p.FCSOK()
}

// Take notes that a frame which fits takes the passage.
func (a *Passage) Take(b *Bridge, now clock.Time) { b.stations.heard(now, a.from) }

func newPort(i int, cfg PortConfig) (port, error) {
	p := port{trunk: cfg.Trunk, vlan: cfg.VLAN, router: cfg.Router, hosts: cfg.Hosts}
	if !p.trunk && p.vlan == 0 {
		p.vlan = firstVLAN
	}
	if p.vlan > lastVLAN {
		return port{}, errVLAN(i, p.vlan)
	}
	if cfg.Allowed == nil {
		return p, nil
	}
	p.allowed = new([4096 / 64]uint64)
	for _, v := range cfg.Allowed {
		if v < firstVLAN || v > lastVLAN {
			return port{}, errVLAN(i, v)
		}
		p.allowed[v/64] |= 1 << (v % 64)
	}
	return p, nil
}

func errVLAN(i int, vlan uint16) error {
	return fmt.Errorf("port %d: VLAN %d: it must be between %d and %d", i, vlan, firstVLAN, lastVLAN)
}

// carries reports whether frames of a VLAN leave from this port.
func (p *port) carries(vlan uint16) bool {
	if vlan == p.vlan {
		return true
	}
	return p.trunk && (p.allowed == nil || p.allowed[vlan/64]>>(vlan%64)&1 != 0)
}

// classify returns the VLAN that a frame entering at this port belongs to, or
// why it must not enter.
func (p *port) classify(h *wire.Ethernet) (vlan uint16, why Reason) {
	switch id := h.VLAN.ID; {
	case id == 0 && p.vlan == 0:
		return 0, NoNativeVLAN
	case id == 0: // untagged, or tagged with a priority alone (IEEE 802.1Q, 6.9.1)
		return p.vlan, 0
	case id > lastVLAN:
		return 0, BadHeader
	case p.carries(id):
		return id, 0
	case p.trunk:
		return 0, VLANNotAllowed
	}
	return 0, WrongVLAN
}

// untagged reports whether frames of a VLAN that leave from this port have no
// tag.
func (p *port) untagged(vlan uint16) bool { return !p.trunk || vlan == p.vlan }

// dress gives a frame of a VLAN the tag that it has to have on this port, or
// takes it off. It returns the frame, which may be another than f.
func (p *port) dress(f *pkt.Packet, vlan uint16) *pkt.Packet {
	if p.untagged(vlan) {
		untag(f)
		return f
	}
	if !tagged(f) {
		f = addTag(f)
	}
	tci := f.Head()[wire.EthernetHeaderLen:]
	priority := binary.BigEndian.Uint16(tci) &^ 0xfff
	binary.BigEndian.PutUint16(tci, priority|vlan)
	return f
}

// untag takes the tag off. A frame that has become too short is padded
// (IEEE 802.1Q, G.2.3).
func untag(f *pkt.Packet) {
	if !tagged(f) {
		return
	}
	h := f.Head()
	copy(h[wire.VLANTagLen:], h[:addresses])
	f.Strip(wire.VLANTagLen)
	f.Pad(minFrame)
}

// addresses is the length of a frame's two addresses, in octets. The tag is
// behind them.
const addresses = 12

// addTag puts an empty tag behind the addresses.
func addTag(f *pkt.Packet) *pkt.Packet {
	if len(f.Head()) > pkt.HeadRoom-wire.VLANTagLen {
		f = split(f)
	}
	f.Prepend(wire.VLANTagLen)
	h := f.Head()
	copy(h, h[wire.VLANTagLen:][:addresses])
	binary.BigEndian.PutUint16(h[addresses:], uint16(wire.EtherTypeVLAN))
	binary.BigEndian.PutUint16(h[wire.EthernetHeaderLen:], 0)
	return f
}

// split returns a frame with f's bytes and facts, of which only the Ethernet
// header is in the head, so that there is room for more.
func split(f *pkt.Packet) *pkt.Packet {
	s := pkt.New()
	s.ID, s.Cause, s.Reason, s.RFC = f.ID, f.Cause, f.Reason, f.RFC
	copy(s.Prepend(wire.EthernetHeaderLen), f.Head())
	s.SetBody(f.Payload(wire.EthernetHeaderLen, f.Len()-wire.EthernetHeaderLen))
	f.Release()
	return s
}
