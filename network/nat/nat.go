package nat

import (
	"net/netip"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// A Config bounds a table.
type Config struct {
	First, Last uint16 // the ports that it gives out
	Most        int    // mappings at once

	// How long a mapping outlives its last packet from inside: of a connection that is
	// open, of one that is being opened or was closed, of datagrams, of pings.
	Connection, Transitory, Datagrams, Pings time.Duration
}

// DefaultConfig has the times that the RFCs ask for: "2 hours 4 minutes" and "4
// minutes" (RFC 5382, 5), "The RECOMMENDED value is 5 minutes" (RFC 4787, 4.3),
// "60 seconds" (RFC 5508, 3.2).
func DefaultConfig() Config {
	return Config{
		First: 1024, Last: 65535, Most: 16384,
		Connection: 2*time.Hour + 4*time.Minute, Transitory: 4 * time.Minute, Datagrams: 5 * time.Minute, Pings: time.Minute,
	}
}

// Inside is who has a mapping: a port of a machine inside. An ICMP query's
// identifier is its port.
type Inside struct {
	Protocol wire.Protocol
	Ends     netip.AddrPort
}

// outside is a port of the router's.
type outside struct {
	protocol wire.Protocol
	port     uint16
}

type mapping struct {
	inside        Inside
	port          uint16
	opened        bool // a connection: it was answered
	finIn, finOut bool // a connection: so far it has been closed
	expires       clock.Time
}

// A Table is one address's mappings.
type Table struct {
	config   Config
	byInside map[Inside]*mapping
	byPort   map[outside]*mapping
	next     uint16 // where the search for a free port goes on
}

// New returns an empty table.
func New(config Config) *Table {
	return &Table{config: config, byInside: make(map[Inside]*mapping), byPort: make(map[outside]*mapping), next: config.First}
}

// State.

// Len returns how many mappings there are, those included that are forgotten when
// somebody asks for them.
func (t *Table) Len() int { return len(t.byInside) }

// Find returns the port that stands for somebody inside, if there is one. It is for
// what doesn't keep a mapping alive, as messages about packets.
func (t *Table) Find(now clock.Time, who Inside) (uint16, bool) {
	if m := t.alive(now, t.byInside[who]); m != nil {
		return m.port, true
	}
	return 0, false
}

// Who returns who is behind a port, if anybody.
func (t *Table) Who(now clock.Time, protocol wire.Protocol, port uint16) (netip.AddrPort, bool) {
	if m := t.alive(now, t.byPort[outside{protocol, port}]); m != nil {
		return m.inside.Ends, true
	}
	return netip.AddrPort{}, false
}

// Input.

// Out takes a packet on its way out, with the flags of its segment if it is one,
// and returns the port that stands for its sender: the sender's own if that is free.
// taken tells which ports the router itself uses. It reports false if there is no
// mapping to be had.
//
// "A NAT MUST have an "Endpoint-Independent Mapping" behavior." (RFC 4787, 4.1;
// RFC 5382, 4.1)
func (t *Table) Out(now clock.Time, who Inside, flags wire.TCPFlags, taken func(uint16) bool) (uint16, bool) {
	m := t.alive(now, t.byInside[who])
	if m == nil {
		var ok bool
		if m, ok = t.add(now, who, taken); !ok {
			return 0, false
		}
	}
	switch {
	case flags&wire.SYN != 0:
		m.opened, m.finIn, m.finOut = false, false, false
	case flags&wire.RST != 0:
		m.opened = false
	case flags&wire.FIN != 0:
		m.finOut = true
	}
	m.expires = now.Add(t.patience(m))
	return m.port, true
}

// In takes a packet on its way in, with the flags of its segment if it is one, and
// returns for whom it is, if anybody has that port.
//
// "If application transparency is most important, it is RECOMMENDED that a NAT have
// an "Endpoint-Independent Filtering" behavior" (RFC 4787, 5): whoever sends there
// is heard. "The NAT mapping Refresh Direction MUST have a "NAT Outbound refresh
// behavior" of "True"" (RFC 4787, 4.3); packets from outside keep nothing alive, so
// that nobody there can.
func (t *Table) In(now clock.Time, protocol wire.Protocol, port uint16, flags wire.TCPFlags) (netip.AddrPort, bool) {
	m := t.alive(now, t.byPort[outside{protocol, port}])
	if m == nil {
		return netip.AddrPort{}, false
	}
	switch {
	case protocol != wire.ProtocolTCP:
	case flags&wire.RST != 0:
		m.opened = false
		m.expires = min(m.expires, now.Add(t.config.Transitory))
	case flags&wire.FIN != 0:
		m.finIn = true
	case flags&wire.ACK != 0:
		m.opened = true
	}
	return m.inside.Ends, true
}

// patience is how long a mapping may be silent.
func (t *Table) patience(m *mapping) time.Duration {
	switch {
	case m.inside.Protocol == wire.ProtocolICMP:
		return t.config.Pings
	case m.inside.Protocol == wire.ProtocolUDP:
		return t.config.Datagrams
	case m.opened && !(m.finIn && m.finOut):
		return t.config.Connection
	}
	return t.config.Transitory
}

// add makes a mapping. If there are too many, those that have expired give way.
func (t *Table) add(now clock.Time, who Inside, taken func(uint16) bool) (*mapping, bool) {
	if len(t.byInside) >= t.config.Most {
		for _, m := range t.byInside {
			t.alive(now, m)
		}
	}
	if len(t.byInside) >= t.config.Most {
		return nil, false
	}
	port, ok := t.freePort(now, who, taken)
	if !ok {
		return nil, false
	}
	m := &mapping{inside: who, port: port}
	t.byInside[who], t.byPort[outside{who.Protocol, port}] = m, m
	return m, true
}

// freePort returns the sender's own port, or the next that nobody has.
func (t *Table) freePort(now clock.Time, who Inside, taken func(uint16) bool) (uint16, bool) {
	free := func(port uint16) bool {
		return t.alive(now, t.byPort[outside{who.Protocol, port}]) == nil && !taken(port)
	}
	if own := who.Ends.Port(); own >= t.config.First && own <= t.config.Last && free(own) {
		return own, true
	}
	for range int(t.config.Last-t.config.First) + 1 {
		port := t.next
		if t.next++; port == t.config.Last {
			t.next = t.config.First
		}
		if free(port) {
			return port, true
		}
	}
	return 0, false
}

// alive returns m, and forgets it if its time is over.
func (t *Table) alive(now clock.Time, m *mapping) *mapping {
	if m == nil || now < m.expires {
		return m
	}
	delete(t.byInside, m.inside)
	delete(t.byPort, outside{m.inside.Protocol, m.port})
	return nil
}
