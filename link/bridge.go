package link

import (
	"fmt"
	"time"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// BridgeConfig is what a Bridge is built from. Zero fields get the values
// that their comments name.
type BridgeConfig struct {
	Ports  []PortConfig   // one for each port; the zero PortConfig is an access port of VLAN 1
	Size   int            // stations remembered in each VLAN; 1024
	Ageing clock.Duration // how long a silent station is remembered; 300 s (IEEE 802.1D, table 7-5)

	Snooping bool // see SetSnooping
	Groups   int  // multicast groups remembered in all VLANs; 1024
}

// A Bridge is a learning switch with VLANs (IEEE 802.1D, IEEE 802.1Q): it
// remembers behind which port each station is, and sends a frame only there.
// It checks each frame before it sends it on (store and forward).
//
// A VLAN whose table is full learns no new station: those that are known stay
// known whatever a hostile station sends, and frames for others are flooded.
//
// State: Table, Groups, RouterPorts, Drops, Unlearned, UnlistedGroups. Input:
// HandleFrame, HandleTimer. Commands: AddPort, SetPort, SetSnooping, FlushPort,
// Flush. Output: PollFrame, PollEvent, NextTimer.
type Bridge struct {
	outbox
	ports    []port
	stations stations
	snoop    *snooping // nil if it doesn't look into multicast frames
	groups   int       // how many it may remember then
	scratch  []byte    // a frame in one piece
	front    [maxHeaders]byte
}

// NewBridge returns a switch, or an error if a VLAN is not between 1 and 4094.
func NewBridge(cfg BridgeConfig) (*Bridge, error) {
	b := &Bridge{groups: cfg.Groups}
	b.SetSnooping(cfg.Snooping)
	b.stations.init(cfg.Size, cfg.Ageing)
	for _, pc := range cfg.Ports {
		if _, err := b.AddPort(pc); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Table returns the address table, ordered by VLAN and address.
func (b *Bridge) Table() []Station { return b.stations.table() }

// Unlearned returns how often a station was not learned because the table of
// its VLAN was full.
func (b *Bridge) Unlearned() uint64 { return b.stations.refused }

// HandleFrame takes a frame that enters at port.
func (b *Bridge) HandleFrame(now clock.Time, in int, p *pkt.Packet) {
	if uint(in) >= uint(len(b.ports)) {
		b.drop(NoSuchPort, in, p)
		return
	}
	h, _, err := wire.ParseEthernet(p.Head())
	why := check(&h, err, p)
	var vlan uint16
	if why == 0 {
		vlan, why = b.ports[in].classify(&h)
	}
	if why == 0 && b.ports[in].hosts {
		why = b.guard(p)
	}
	if why != 0 {
		b.drop(why, in, p)
		return
	}
	b.learn(now, in, station{vlan, h.Src}, p)
	if b.snoop != nil && h.Dst.IsGroup() && h.Dst != wire.Broadcast {
		b.forwardGroup(now, in, vlan, p)
		return
	}
	b.forward(in, station{vlan, h.Dst}, p)
}

// Pass sends a frame on, and reports whether it did and from which port: one
// that is in order, from a station to another that are both known where they
// are, in a VLAN that neither port tags. Otherwise nothing has happened. It is
// HandleFrame and PollFrame in one step, for nearly all frames of a
// conversation.
func (b *Bridge) Pass(now clock.Time, in int, p *pkt.Packet) (out int, ok bool) {
	if uint(in) >= uint(len(b.ports)) || b.ports[in].trunk || b.ports[in].hosts {
		return 0, false
	}
	last := &b.ports[in].last
	if last.Fits(b, p) {
		last.Take(b, now)
		return last.out, true
	}
	vlan := b.ports[in].vlan
	h, _, err := wire.ParseEthernet(p.Head())
	if h.Tagged || check(&h, err, p) != 0 {
		return 0, false
	}
	from, to := b.stations.find(station{vlan, h.Src}), b.stations.find(station{vlan, h.Dst})
	if from == nil || to == nil || from.port != in || to.port == in || !b.ports[to.port].untagged(vlan) {
		return 0, false
	}
	b.stations.heard(now, from)
	*last = Passage{[len(last.head)]byte(p.Head()), b.stations.changes, to.port, from}
	return to.port, true
}

// check returns why a frame must not be forwarded, whatever the port.
func check(h *wire.Ethernet, err error, p *pkt.Packet) Reason {
	switch {
	case !p.FCSOK():
		return BadFCS
	case err != nil:
		return BadHeader
	case h.Src.IsGroup() || h.Src.IsZero():
		return BadSource
	case reserved(h.Dst):
		return Reserved
	}
	return 0
}

// reserved reports whether an address is one of the sixteen that end at the
// next switch, such as that of the spanning tree protocol (IEEE 802.1D, 7.12.6).
func reserved(m wire.MAC) bool {
	return m[5] < 16 && [5]byte(m[:5]) == [5]byte{0x01, 0x80, 0xc2, 0x00, 0x00}
}

// learn remembers behind which port the frame's sender is.
func (b *Bridge) learn(now clock.Time, in int, src station, p *pkt.Packet) {
	before, news := b.stations.learn(now, src, in)
	if !news || !b.Watch {
		return
	}
	f := Fact{Kind: Learned, Port: in, ID: p.ID, MAC: src.mac, VLAN: src.vlan}
	if before >= 0 {
		f.Text = "it has moved to another port"
	}
	b.facts.Push(f)
}

// forward sends a frame to the port behind which its destination is, or to
// all that belong to the VLAN.
func (b *Bridge) forward(in int, dst station, p *pkt.Packet) {
	if !dst.mac.IsGroup() {
		if to := b.stations.find(dst); to != nil {
			b.forwardTo(to.port, in, dst.vlan, p)
			return
		}
	}
	b.flood(in, dst.vlan, p)
}

func (b *Bridge) forwardTo(out, in int, vlan uint16, p *pkt.Packet) {
	if out == in {
		b.drop(SamePort, in, p)
		return
	}
	b.send(out, b.ports[out].dress(p, vlan))
}

// flood sends a frame from all ports of its VLAN but the one it entered at.
// Each but the last gets a copy.
func (b *Bridge) flood(in int, vlan uint16, p *pkt.Packet) {
	b.spread(in, vlan, p, NoOtherPort, func(int) bool { return true })
}

// spread is flood to those ports that want the frame; none is the reason to drop
// it if there is none.
func (b *Bridge) spread(in int, vlan uint16, p *pkt.Packet, none Reason, wants func(out int) bool) {
	last := -1
	for out := range b.ports {
		if out == in || !b.ports[out].carries(vlan) || !wants(out) {
			continue
		}
		if last >= 0 {
			b.send(last, b.ports[last].dress(p.Clone(), vlan))
		}
		last = out
	}
	if last < 0 {
		b.drop(none, in, p)
		return
	}
	b.send(last, b.ports[last].dress(p, vlan))
}

// HandleTimer forgets the stations, and the listeners to groups, that have been
// silent for too long.
func (b *Bridge) HandleTimer(now clock.Time) {
	b.expireGroups(now)
	b.stations.expire(now, func(s *learned) { b.forgot(s, "it has been silent for too long") })
}

// AddPort gives the switch one more port and returns its number, or an error
// if a VLAN is not between 1 and 4094.
func (b *Bridge) AddPort(cfg PortConfig) (int, error) {
	i := len(b.ports)
	p, err := newPort(i, cfg)
	if err != nil {
		return 0, err
	}
	b.ports = append(b.ports, p)
	return i, nil
}

// SetPort changes a port's VLANs and forgets the stations behind it. It
// returns an error if there is no such port, or a VLAN is not between 1 and
// 4094.
func (b *Bridge) SetPort(i int, cfg PortConfig) error {
	if uint(i) >= uint(len(b.ports)) {
		return fmt.Errorf("port %d: the switch has the ports 0 to %d", i, len(b.ports)-1)
	}
	p, err := newPort(i, cfg)
	if err != nil {
		return err
	}
	b.ports[i] = p
	b.stations.changes++
	b.FlushPort(i)
	return nil
}

// FlushPort forgets the stations and listeners behind a port, as when its cable
// is pulled.
func (b *Bridge) FlushPort(i int) {
	b.forgetGroups("its port has changed", func(x portTime) bool { return x.port == i })
	b.stations.remove(
		func(s *learned) bool { return s.port == i },
		func(s *learned) { b.forgot(s, "its port has changed") })
}

// Flush forgets all stations and listeners.
func (b *Bridge) Flush() {
	b.forgetGroups("the table was flushed", func(portTime) bool { return true })
	b.stations.remove(
		func(*learned) bool { return true },
		func(s *learned) { b.forgot(s, "the table was flushed") })
}

func (b *Bridge) forgot(s *learned, why string) {
	if b.Watch {
		b.facts.Push(Fact{Kind: Forgot, Port: s.port, MAC: s.mac, VLAN: s.vlan, Text: why})
	}
}

// NextTimer returns when something may have to be forgotten.
func (b *Bridge) NextTimer() clock.Time {
	if b.snoop == nil {
		return b.stations.sweep
	}
	return clock.Earlier(b.stations.sweep, b.snoop.due)
}

const (
	defaultStations = 1024
	defaultAgeing   = 300 * time.Second
)
