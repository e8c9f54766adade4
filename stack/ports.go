package stack

import (
	"math/rand/v2"
	"net/netip"
)

// portTable knows who has which port of one transport, so that nobody gets
// one that is taken. It follows Linux's rules (bind(2), socket(7)).
type portTable struct {
	cfg   *Config
	ports map[uint16]map[binding]int // how many of each kind there are
}

// A binding is what matters of whoever has a port.
type binding struct {
	addr      netip.Addr // unspecified for all
	reuseAddr bool
	reusePort bool
	listening bool
	datagram  bool
	ephemeral bool // a connection got the port by chance, and may share it
	dual      bool // addr stands for all addresses of both families
}

func (t *portTable) init(cfg *Config) {
	t.cfg, t.ports = cfg, make(map[uint16]map[binding]int)
}

func (t *portTable) add(port uint16, b binding) {
	if t.ports[port] == nil {
		t.ports[port] = make(map[binding]int)
	}
	t.ports[port][b]++
}

func (t *portTable) remove(port uint16, b binding) {
	owners := t.ports[port]
	if owners[b]--; owners[b] <= 0 {
		delete(owners, b)
	}
	if len(owners) == 0 {
		delete(t.ports, port)
	}
}

// free reports whether nobody who has the port objects to b.
func (t *portTable) free(port uint16, b binding) bool {
	for other := range t.ports[port] {
		if b.conflicts(other) {
			return false
		}
	}
	return true
}

// conflicts reports whether b can't have a port that other has: their addresses
// overlap, and they didn't both agree to share it. SO_REUSEADDR shares a
// port of which nobody listens; with datagrams, any. SO_REUSEPORT shares it
// with whoever set the option too.
func (b binding) conflicts(other binding) bool {
	if !b.covers(other) && !other.covers(b) {
		return false
	}
	if b.reusePort && other.reusePort {
		return false
	}
	if b.reuseAddr && other.reuseAddr {
		return !b.datagram && other.listening
	}
	return true
}

// covers reports whether b's addresses contain other's.
func (b binding) covers(other binding) bool {
	if b.addr.IsUnspecified() {
		return b.dual || b.addr.Is4() == other.addr.Is4()
	}
	return b.addr == other.addr
}

// choose returns a port of the ephemeral range that is free for b, beginning
// to look at a random one (RFC 6056, 3.3.1), or 0 if there is none.
func (t *portTable) choose(rnd *rand.Rand, b binding) uint16 {
	count := t.cfg.EphemeralHigh - t.cfg.EphemeralLow + 1
	first := rnd.IntN(count)
	for i := range count {
		port := uint16(t.cfg.EphemeralLow + (first+i)%count)
		// Two who were given their port by chance did not agree to share it.
		if len(t.ports[port]) == 0 && !t.cfg.reserved(port) {
			return port
		}
	}
	return 0
}

// explicit reports whether somebody asked for the port by number, or listens
// there, at an address that overlaps with addr: no connection gets it by
// chance.
func (t *portTable) explicit(port uint16, addr netip.Addr) bool {
	for other := range t.ports[port] {
		if !other.ephemeral && other.covers(binding{addr: addr}) {
			return true
		}
	}
	return false
}

// bindable checks that an endpoint may bind to an address: it is one of the
// machine's, and the port takes no privilege that the caller lacks.
func (s *Stack) bindable(addr netip.AddrPort, privileged bool) error {
	ip := addr.Addr()
	if !ip.IsUnspecified() && s.own.by(ip) == nil && !s.loopback.holds(ip) {
		return ErrAddrNotAvail
	}
	if addr.Port() != 0 && int(addr.Port()) < s.cfg.PrivilegedBelow && !privileged {
		return ErrAccess
	}
	return nil
}

// holds reports whether addr is in one of the interface's subnets: all of
// 127.0.0.0/8 is this machine (RFC 1122, 3.2.1.3).
func (i *Interface) holds(addr netip.Addr) bool {
	_, ok := i.subnetOf(addr)
	return ok
}
