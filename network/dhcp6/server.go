package dhcp6

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"net/netip"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// ServerConfig is what a Server is built from. Zero lifetimes get the values
// that their comments name.
type ServerConfig struct {
	DUID        []byte       // who the server is; see LinkLayerDUID
	First       netip.Addr   // of the pool
	Count       int          // addresses in the pool, at most 4096; 0: settings alone are given
	Link        netip.Prefix // what is on the link: other addresses are refused
	Preferred   uint32       // seconds that an address begins new conversations; 3600
	Valid       uint32       // seconds that it may be used; twice Preferred
	DNS         []netip.Addr // servers of names
	Domains     []string     // in which names are looked for
	Preference  uint8        // 255: clients take it at once (RFC 8415, 21.8)
	RapidCommit bool         // answer a Solicit that allows it with the address at once
}

// maxPool bounds what a server remembers.
const maxPool = 4096

// A Server gives out the addresses of a pool on one link. The same client gets
// the same address, as long as nobody else has needed it.
//
// State: Leases, Drops. Input: HandleMessage.
type Server struct {
	cfg    ServerConfig
	leases map[netip.Addr]*lease
	drops  Drops
}

// A lease is an address of the pool that was given out, or declined.
type lease struct {
	client string // key; empty: it was declined, and somebody else has it
	until  clock.Time
}

// A Lease is an address that a client has.
type Lease struct {
	Addr  netip.Addr
	DUID  []byte
	IAID  uint32
	Until clock.Time
}

// NewServer returns a server that has given out nothing.
func NewServer(cfg *ServerConfig) *Server {
	s := &Server{cfg: *cfg, leases: make(map[netip.Addr]*lease)}
	if s.cfg.Preferred == 0 {
		s.cfg.Preferred = 3600
	}
	if s.cfg.Valid < s.cfg.Preferred {
		s.cfg.Valid = uint32(min(2*uint64(s.cfg.Preferred), wire.Forever))
	}
	s.cfg.Count = max(0, min(s.cfg.Count, maxPool))
	return s
}

// Leases returns the addresses that clients have at now, in ascending order.
func (s *Server) Leases(now clock.Time) []Lease {
	var all []Lease
	for i, a := 0, s.cfg.First; i < s.cfg.Count; i, a = i+1, a.Next() {
		if l := s.leases[a]; l != nil && l.client != "" && l.until > now {
			all = append(all, Lease{a, []byte(l.client[4:]), binary.BigEndian.Uint32([]byte(l.client)), l.until})
		}
	}
	return all
}

// Drops returns how many messages were discarded, by reason.
func (s *Server) Drops() Drops { return s.drops }

// A question is a client's message.
type question struct {
	wire.DHCP6
	client []byte
	rapid  bool
}

// HandleMessage takes the payload of a datagram from a client, and returns the
// answer, which goes back to where the datagram came from, or why there is none.
func (s *Server) HandleMessage(now clock.Time, b []byte) (answer []byte, why Reason) {
	m, err := wire.ParseDHCP6(b)
	if err != nil {
		s.drops[Malformed]++
		return nil, Malformed
	}
	q := question{DHCP6: m}
	if why := s.check(&q); why != 0 {
		s.drops[why]++
		return nil, why
	}
	r := wire.DHCP6{Type: wire.DHCP6Reply, Transaction: m.Transaction}
	r.Options = wire.AppendDHCP6Option(nil, wire.DHCP6ServerID, s.cfg.DUID)
	if q.client != nil {
		r.Options = wire.AppendDHCP6Option(r.Options, wire.DHCP6ClientID, q.client)
	}
	if why := s.answer(now, &q, &r); why != 0 {
		s.drops[why]++
		return nil, why
	}
	return r.AppendTo(nil), 0
}

// check finds what is wrong with a client's message (RFC 8415, 16.2 to 16.12).
func (s *Server) check(q *question) Reason {
	server, named := wire.FindDHCP6Option(q.Options, wire.DHCP6ServerID)
	q.client, _ = wire.FindDHCP6Option(q.Options, wire.DHCP6ClientID)
	_, q.rapid = wire.FindDHCP6Option(q.Options, wire.DHCP6RapidCommit)
	_, association := wire.FindDHCP6Option(q.Options, wire.DHCP6IANA)
	switch q.Type {
	case wire.DHCP6Solicit, wire.DHCP6Rebind, wire.DHCP6Confirm:
		if named {
			return HasServerID
		}
	case wire.DHCP6Request, wire.DHCP6Renew, wire.DHCP6Release, wire.DHCP6Decline:
		if !named {
			return NoServerID
		}
	case wire.DHCP6InformationRequest:
		if association {
			return HasAssociation
		}
	default:
		return NotForUs
	}
	switch {
	case named && !bytes.Equal(server, s.cfg.DUID):
		return OtherServer
	case q.Type == wire.DHCP6InformationRequest && q.client == nil:
		return 0
	case !validDUID(q.client):
		return NoClientID
	case q.Type != wire.DHCP6InformationRequest && !association:
		return NoAssociation
	}
	return 0
}

// answer fills in a reply.
func (s *Server) answer(now clock.Time, q *question, r *wire.DHCP6) Reason {
	switch q.Type {
	case wire.DHCP6Solicit:
		if !q.rapid || !s.cfg.RapidCommit {
			r.Type = wire.DHCP6Advertise
		} else {
			r.Options = wire.AppendDHCP6Option(r.Options, wire.DHCP6RapidCommit, nil)
		}
		if s.cfg.Preference > 0 {
			r.Options = wire.AppendDHCP6Option(r.Options, wire.DHCP6Preference, []byte{s.cfg.Preference})
		}
	case wire.DHCP6Confirm:
		return s.confirm(q, r)
	case wire.DHCP6Release, wire.DHCP6Decline:
		r.Options = wire.AppendDHCP6Status(r.Options, wire.DHCP6Success, "")
	}
	s.eachIA(q, func(ia *wire.DHCP6IA) { s.associate(now, q, ia, r) })
	s.settings(q, r)
	return 0
}

// maxAssociations is how many of a message's identity associations are heeded.
const maxAssociations = 4

func (s *Server) eachIA(q *question, do func(*wire.DHCP6IA)) {
	n := 0
	for code, data, rest, ok := wire.NextDHCP6Option(q.Options); ok && n < maxAssociations; code, data, rest, ok = wire.NextDHCP6Option(rest) {
		if code != wire.DHCP6IANA {
			continue
		}
		if ia, whole := wire.ParseDHCP6IA(data); whole {
			do(&ia)
			n++
		}
	}
}

// associate appends the answer about one identity association.
func (s *Server) associate(now clock.Time, q *question, ia *wire.DHCP6IA, r *wire.DHCP6) {
	client := key(ia.ID, q.client)
	switch q.Type {
	case wire.DHCP6Release, wire.DHCP6Decline:
		if !s.takeBack(now, q, ia, client) {
			s.refuse(r, ia, wire.DHCP6NoBinding)
		}
		return
	case wire.DHCP6Request:
		if !s.onLink(ia) {
			s.refuse(r, ia, wire.DHCP6NotOnLink)
			return
		}
	case wire.DHCP6Renew, wire.DHCP6Rebind:
		if _, ok := s.leaseOf(now, client); !ok {
			s.refuse(r, ia, wire.DHCP6NoBinding) // RFC 8415, 18.3.4 and 18.3.5
			return
		}
	}
	addr, ok := s.choose(now, client)
	if !ok {
		s.refuse(r, ia, wire.DHCP6NoAddrsAvail)
		return
	}
	if r.Type == wire.DHCP6Reply {
		s.leases[addr] = &lease{client, lifetime(now, s.cfg.Valid)}
	}
	a := wire.DHCP6Address{Addr: addr, Preferred: s.cfg.Preferred, Valid: s.cfg.Valid}
	given := wire.DHCP6IA{ID: ia.ID, Options: a.AppendTo(nil)}
	given.T1, given.T2 = wire.Forever, wire.Forever
	if s.cfg.Preferred != wire.Forever {
		// "recommended values for T1 and T2 are 0.5 and 0.8 times the shortest
		// preferred lifetime" (RFC 8415, 21.4).
		given.T1, given.T2 = s.cfg.Preferred/2, uint32(uint64(s.cfg.Preferred)*4/5)
	}
	// "the server returns the old address with lifetimes of 0" if it isn't to be
	// used any more (RFC 8415, 18.3.4).
	for _, old := range addressesOf(ia) {
		if old != addr && (q.Type == wire.DHCP6Renew || q.Type == wire.DHCP6Rebind) {
			given.Options = (&wire.DHCP6Address{Addr: old}).AppendTo(given.Options)
		}
	}
	r.Options = given.AppendTo(r.Options)
}

// refuse appends an association with a status instead of addresses.
func (s *Server) refuse(r *wire.DHCP6, ia *wire.DHCP6IA, why wire.DHCP6Status) {
	refused := wire.DHCP6IA{ID: ia.ID, Options: wire.AppendDHCP6Status(nil, why, "")}
	r.Options = refused.AppendTo(r.Options)
}

// addressesOf returns the addresses that an association names, at most
// maxAddresses.
func addressesOf(ia *wire.DHCP6IA) (all []netip.Addr) {
	for code, data, rest, ok := wire.NextDHCP6Option(ia.Options); ok && len(all) < maxAddresses; code, data, rest, ok = wire.NextDHCP6Option(rest) {
		if a, whole := wire.ParseDHCP6Address(data); whole && code == wire.DHCP6IAAddress {
			all = append(all, a.Addr)
		}
	}
	return all
}

func (s *Server) onLink(ia *wire.DHCP6IA) bool {
	for _, a := range addressesOf(ia) {
		if s.cfg.Link.IsValid() && !s.cfg.Link.Contains(a) {
			return false
		}
	}
	return true
}

// confirm says whether a client's addresses fit its link. One without any gets
// no answer (RFC 8415, 18.3.3).
func (s *Server) confirm(q *question, r *wire.DHCP6) Reason {
	any, all := false, true
	s.eachIA(q, func(ia *wire.DHCP6IA) {
		any = any || len(addressesOf(ia)) > 0
		all = all && s.onLink(ia)
	})
	switch {
	case !any:
		return NoAddress
	case all:
		r.Options = wire.AppendDHCP6Status(r.Options, wire.DHCP6Success, "")
	default:
		r.Options = wire.AppendDHCP6Status(r.Options, wire.DHCP6NotOnLink, "")
	}
	return 0
}

// takeBack ends leases that a client gives back. What it declines somebody else
// has: nobody gets it for a day.
func (s *Server) takeBack(now clock.Time, q *question, ia *wire.DHCP6IA, client string) bool {
	known := false
	for _, a := range addressesOf(ia) {
		l := s.leases[a]
		if l == nil || l.client != client {
			continue
		}
		known = true
		if q.Type == wire.DHCP6Decline {
			s.leases[a] = &lease{until: now.Add(24 * time.Hour)}
		} else {
			delete(s.leases, a)
		}
	}
	return known
}

// key is what a lease belongs to: a client's identity association.
func key(iaid uint32, duid []byte) string {
	return string(binary.BigEndian.AppendUint32(nil, iaid)) + string(duid)
}

// leaseOf finds the address that a client has.
func (s *Server) leaseOf(now clock.Time, client string) (netip.Addr, bool) {
	for a, l := range s.leases {
		if l.client == client && l.until > now {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// choose finds the address for a client: the one that it has or had, else one
// that nobody has, beginning at a place of the pool that depends on the client.
func (s *Server) choose(now clock.Time, client string) (netip.Addr, bool) {
	if a, ok := s.leaseOf(now, client); ok {
		return a, true
	}
	if s.cfg.Count == 0 {
		return netip.Addr{}, false
	}
	h := fnv.New32a()
	h.Write([]byte(client))
	start := int(h.Sum32() % uint32(s.cfg.Count))
	free, found := netip.Addr{}, false
	for i := range s.cfg.Count {
		a := offset(s.cfg.First, (start+i)%s.cfg.Count)
		switch l := s.leases[a]; {
		case l != nil && l.client == client:
			return a, true
		case !found && (l == nil || l.until <= now):
			free, found = a, true
		}
	}
	return free, found
}

// offset returns the address so many behind another.
func offset(a netip.Addr, n int) netip.Addr {
	b := a.As16()
	low := binary.BigEndian.Uint64(b[8:]) + uint64(n)
	binary.BigEndian.PutUint64(b[8:], low)
	return netip.AddrFrom16(b)
}

// settings appends the options that the client has asked for.
func (s *Server) settings(q *question, r *wire.DHCP6) {
	asked, _ := wire.FindDHCP6Option(q.Options, wire.DHCP6OptionRequest)
	wants := make(map[wire.DHCP6OptionCode]bool)
	for ; len(asked) >= 2; asked = asked[2:] {
		wants[wire.DHCP6OptionCode(binary.BigEndian.Uint16(asked))] = true
	}
	if wants[wire.DHCP6DNSServers] && len(s.cfg.DNS) > 0 {
		var b []byte
		for _, a := range s.cfg.DNS[:min(len(s.cfg.DNS), maxServers)] {
			b = append(b, a.AsSlice()...)
		}
		r.Options = wire.AppendDHCP6Option(r.Options, wire.DHCP6DNSServers, b)
	}
	if wants[wire.DHCP6SearchList] && len(s.cfg.Domains) > 0 {
		names := wire.AppendDNSNames(nil, s.cfg.Domains[:min(len(s.cfg.Domains), maxDomains)]...)
		r.Options = wire.AppendDHCP6Option(r.Options, wire.DHCP6SearchList, names)
	}
}
