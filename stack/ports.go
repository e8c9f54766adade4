package stack

import (
	"math/rand/v2"
	"net/netip"
)

// portTable knows who has which port of one transport, so that nobody gets
// one that is taken. It follows Linux's rules (bind(2), socket(7)).
//
// A machine can have as many connections as there are ports, and their bindings
// are of a few kinds. Each kind is kept once, and a port has a list of the kinds
// of those who have it, and of how many there are.
type portTable struct {
	cfg    *Config
	kinds  []kind
	known  map[binding]bindingID
	spare  bindingID         // the first of the kinds that nobody has any more
	ports  map[uint16]uint32 // the first of a port's uses
	uses   []use
	unused uint32 // the first of the uses that nobody has any more
}

// A bindingID stands for a binding in its table. Zero is none.
type bindingID uint32

// A kind is a binding, and how many ports it is in use at.
type kind struct {
	binding
	ports int
	next  bindingID // of the spare ones
}

// A use says how many of those who have a port are of one kind. They are
// numbered from 1 on.
type use struct {
	kind  bindingID
	count uint32
	next  uint32 // of the same port, or of the free ones
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
	*t = portTable{cfg: cfg, kinds: make([]kind, 1), known: make(map[binding]bindingID), ports: make(map[uint16]uint32), uses: make([]use, 1)}
}

// binding returns what a number stands for.
func (t *portTable) binding(id bindingID) binding { return t.kinds[id].binding }

// add notes that somebody has the port, until remove is called with what it
// returns.
func (t *portTable) add(port uint16, b binding) bindingID {
	id := t.identify(b)
	first := t.ports[port]
	for n := first; n != 0; n = t.uses[n].next {
		if t.uses[n].kind == id {
			t.uses[n].count++
			return id
		}
	}
	t.kinds[id].ports++
	t.ports[port] = t.newUse(use{kind: id, count: 1, next: first})
	return id
}

// remove takes back what add noted.
func (t *portTable) remove(port uint16, id bindingID) {
	first := t.ports[port]
	for at := &first; *at != 0; at = &t.uses[*at].next {
		u := &t.uses[*at]
		if u.kind != id {
			continue
		}
		if u.count--; u.count > 0 {
			return
		}
		*at, u.next, t.unused = u.next, t.unused, *at
		break
	}
	t.forget(id)
	if first == 0 {
		delete(t.ports, port)
	} else {
		t.ports[port] = first
	}
}

func (t *portTable) newUse(u use) uint32 {
	n := t.unused
	if n == 0 {
		t.uses = append(t.uses, u)
		return uint32(len(t.uses) - 1)
	}
	t.unused, t.uses[n] = t.uses[n].next, u
	return n
}

// identify returns the number of a binding, a new one if need be.
func (t *portTable) identify(b binding) bindingID {
	if id := t.known[b]; id != 0 {
		return id
	}
	id := t.spare
	if id == 0 {
		t.kinds = append(t.kinds, kind{})
		id = bindingID(len(t.kinds) - 1)
	} else {
		t.spare = t.kinds[id].next
	}
	t.kinds[id], t.known[b] = kind{binding: b}, id
	return id
}

// forget gives up a kind for one port; if it was the last, altogether.
func (t *portTable) forget(id bindingID) {
	k := &t.kinds[id]
	if k.ports--; k.ports == 0 {
		delete(t.known, k.binding)
		*k, t.spare = kind{next: t.spare}, id
	}
}

// free reports whether nobody who has the port objects to b.
func (t *portTable) free(port uint16, b binding) bool {
	for n := t.ports[port]; n != 0; n = t.uses[n].next {
		if b.conflicts(t.kinds[t.uses[n].kind].binding) {
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
		if t.ports[port] == 0 && !t.cfg.reserved(port) {
			return port
		}
	}
	return 0
}

// explicit reports whether somebody asked for the port by number, or listens
// there, at an address that overlaps with addr: no connection gets it by
// chance.
func (t *portTable) explicit(port uint16, addr netip.Addr) bool {
	for n := t.ports[port]; n != 0; n = t.uses[n].next {
		if other := &t.kinds[t.uses[n].kind]; !other.ephemeral && other.covers(binding{addr: addr}) {
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
