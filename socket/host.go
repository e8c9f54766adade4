package socket

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"hubbub/clock"
	"hubbub/sim"
	"hubbub/stack"
)

// A Host is a machine in a world, as its programs see it.
type Host struct {
	world    *sim.World
	node     *sim.Node
	stack    *stack.Stack
	names    Names
	epoch    time.Time
	files    int // descriptors given out
	unix     map[string]*Socket
	oldest   *Socket // of those that are open
	newest   *Socket
	ordinary bool // its programs lack privilege
	pings    uint16
	resolver resolver
}

// Names finds the addresses of a name.
type Names interface {
	// LookupHost returns the addresses of name, in a slice of the caller's own.
	LookupHost(name string) ([]netip.Addr, bool)
}

// NewHost puts a machine with that stack into the world. The names are what
// it resolves names with; epoch is the time of day at which the world began.
func NewHost(w *sim.World, s *stack.Stack, names Names, epoch time.Time) *Host {
	h := &Host{
		world: w, stack: s, names: names, epoch: epoch,
		unix: make(map[string]*Socket),
	}
	h.node = w.Add(s.Name(), s, h.settle)
	for _, i := range s.Interfaces() {
		h.node.AddPort(i.Name, i.Loopback)
	}
	return h
}

// World, Node and Stack return what the host consists of.
func (h *Host) World() *sim.World   { return h.world }
func (h *Host) Node() *sim.Node     { return h.node }
func (h *Host) Stack() *stack.Stack { return h.stack }

// SetPrivilegedLocked says whether the host's programs may use ports below
// 1024 and raw sockets. They may, unless it is called with false. It needs the
// world's lock.
func (h *Host) SetPrivilegedLocked(yes bool) { h.ordinary = !yes }

// Abandon makes the machine lose everything, as when its power fails: its
// sockets are closed without a word to anybody. It needs the world's lock.
func (h *Host) Abandon(now clock.Time) {
	for s := h.oldest; s != nil; s = h.oldest {
		h.remove(s)
		s.closed = true
		s.readable.WakeAll()
		s.writable.WakeAll()
		s.forsake()
	}
	clear(h.unix)
	h.stack.Restart(now)
}

// add and remove keep the list of open sockets.
func (h *Host) add(s *Socket) {
	s.older = h.newest
	if h.newest != nil {
		h.newest.newer = s
	} else {
		h.oldest = s
	}
	h.newest = s
}

func (h *Host) remove(s *Socket) {
	if s.older != nil {
		s.older.newer = s.newer
	} else {
		h.oldest = s.newer
	}
	if s.newer != nil {
		s.newer.older = s.older
	} else {
		h.newest = s.older
	}
	s.older, s.newer = nil, nil
}

// settle wakes those whose sockets have changed.
func (h *Host) settle() {
	for {
		e, ok := h.stack.PollReady()
		if !ok {
			return
		}
		if s, ok := e.Owner().(*Socket); ok {
			s.wake()
		}
	}
}

// Now returns the world's time as a time of day.
func (h *Host) Now() time.Time {
	now := h.world.Enter()
	h.world.Unlock()
	return h.epoch.Add(clock.Duration(now))
}

// instant returns the time of the world that a deadline means, clock.Never
// for the zero Time.
func (h *Host) instant(now clock.Time, t time.Time) clock.Time {
	if t.IsZero() {
		return clock.Never
	}
	left := t.Sub(h.epoch) - clock.Duration(now)
	if h.foreign(t) {
		left = sim.Until(t).Round(time.Millisecond)
	}
	return max(1, now.Add(left))
}

// foreign reports whether t is a time of the clock outside, in a world whose
// clock shows something else.
func (h *Host) foreign(t time.Time) bool {
	const worldsAge = 10 * 365 * 24 * time.Hour
	return h.world.IsVirtual() && t.Sub(h.epoch) > worldsAge
}

// LookupAddr returns the address that host means: a literal one, or the first
// that its name has. The empty host is the unspecified address.
func (h *Host) LookupAddr(host string) (netip.Addr, error) {
	if host == "" {
		return netip.IPv4Unspecified(), nil
	}
	addrs, err := h.lookup(context.Background(), host)
	if err != nil {
		return netip.Addr{}, err
	}
	return addrs[0], nil
}

// lookup returns the addresses that host means, at least one: a literal one, or
// those that its name has.
func (h *Host) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, ok := literal(host); ok {
		return []netip.Addr{addr.Unmap()}, nil
	}
	return h.LookupHost(ctx, host)
}

// literal returns the address that host is, if it is one: no name has a colon, and none that could be
// an address of IPv4 begins with a letter. That is seen before an error is made of it.
func literal(host string) (netip.Addr, bool) {
	if !strings.Contains(host, ":") && (host == "" || host[0] < '0' || host[0] > '9') {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(host)
	return addr, err == nil
}

// LookupHost returns the addresses of a name, in the order in which they are to
// be tried (RFC 6724, 6): those that are known on the network, as by /etc/hosts,
// else those that a name server tells.
func (h *Host) LookupHost(ctx context.Context, name string) ([]netip.Addr, error) {
	if addrs, ok := h.known(name); ok {
		return addrs, nil
	}
	servers, names := h.nameServers(name)
	addrs, err := h.ask(ctx, name, servers, names)
	return h.sorted(addrs), err
}

// lookupPort returns the number of a port that is given by number or name.
func lookupPort(network, port string) (uint16, error) {
	if number, err := strconv.Atoi(port); err == nil {
		if number < 0 || number > 65535 {
			return 0, &net.AddrError{Err: fmt.Sprintf("port %d is not between 0 and 65535", number), Addr: port}
		}
		return uint16(number), nil
	}
	if number, ok := wellKnown[port]; ok {
		return number, nil
	}
	return 0, &net.AddrError{Err: "unknown port of " + network, Addr: port}
}

// wellKnown are the ports that have names (course C27).
var wellKnown = map[string]uint16{
	"": 0, "echo": 7, "discard": 9, "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25,
	"domain": 53, "tftp": 69, "http": 80, "snmp": 161, "https": 443, "nfs": 2049, "mysql": 3306,
}
