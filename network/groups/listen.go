package groups

import (
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/wire"
)

// Listen sets what a socket hears of a group, whatever it was before: the
// operation IPMulticastListen (RFC 3376, 2; RFC 3810, 3). The zero Filter leaves
// the group. A refused command changes nothing.
func (m *Member) Listen(now clock.Time, socket uint64, addr netip.Addr, f Filter) error {
	f = f.sorted()
	if err := m.check(addr, f); err != nil {
		return err
	}
	g := m.find(addr)
	if g == nil {
		if f.Nobody() {
			return nil
		}
		g = &group{addr: addr}
	}
	return m.set(now, g, g.with(socket, f), g.holds)
}

// Join lets a socket hear all sources of a group (IP_ADD_MEMBERSHIP,
// IPV6_JOIN_GROUP). It returns [ErrMember] if the socket has joined it already.
func (m *Member) Join(now clock.Time, socket uint64, addr netip.Addr) error {
	if _, ok := m.Filter(socket, addr); ok {
		return ErrMember
	}
	return m.Listen(now, socket, addr, Everyone)
}

// Leave ends what a socket hears of a group, however it was joined
// (IP_DROP_MEMBERSHIP). It returns [ErrNotMember] if it was not.
func (m *Member) Leave(now clock.Time, socket uint64, addr netip.Addr) error {
	if _, ok := m.Filter(socket, addr); !ok {
		return ErrNotMember
	}
	return m.Listen(now, socket, addr, Filter{})
}

// LeaveAll ends all that a socket hears, as when it is closed.
func (m *Member) LeaveAll(now clock.Time, socket uint64) {
	for _, g := range slices.Clone(m.groups) {
		if g.member(socket) >= 0 {
			m.set(now, g, g.with(socket, Filter{}), g.holds)
		}
	}
}

// An Op is a change of one source in a socket's filter (RFC 3678, 4.1.1).
type Op uint8

// The operations, and the options that ask for them.
const (
	AddSource  Op = iota + 1 // IP_ADD_SOURCE_MEMBERSHIP, MCAST_JOIN_SOURCE_GROUP
	DropSource               // IP_DROP_SOURCE_MEMBERSHIP, MCAST_LEAVE_SOURCE_GROUP
	Block                    // IP_BLOCK_SOURCE, MCAST_BLOCK_SOURCE
	Unblock                  // IP_UNBLOCK_SOURCE, MCAST_UNBLOCK_SOURCE
)

// ChangeSource changes a socket's filter by one source. It returns [ErrMode] if
// the socket has joined the group the other way, [ErrNotMember] if it has not
// where it must have, [ErrNoSuchSource] or [ErrSourceListed] if there is nothing
// to change.
func (m *Member) ChangeSource(now clock.Time, socket uint64, addr netip.Addr, op Op, source netip.Addr) error {
	f, member := m.Filter(socket, addr)
	_, listed := f.find(source)
	takes := op == DropSource || op == Unblock
	switch {
	case !member && op != AddSource:
		return ErrNotMember
	case member && f.Exclude != (op == Block || op == Unblock):
		return ErrMode
	case takes && !listed:
		return ErrNoSuchSource
	case takes:
		return m.Listen(now, socket, addr, f.without(source))
	case listed:
		return ErrSourceListed
	}
	return m.Listen(now, socket, addr, f.with(source))
}

// Hold lets the machine itself hear a group, such as that of the solicitations
// for one of its addresses, until as many Releases have followed.
func (m *Member) Hold(now clock.Time, addr netip.Addr) error {
	if err := m.check(addr, Filter{}); err != nil {
		return err
	}
	g := m.find(addr)
	if g == nil {
		g = &group{addr: addr}
	}
	return m.set(now, g, g.sockets, g.holds+1)
}

// Release undoes a Hold.
func (m *Member) Release(now clock.Time, addr netip.Addr) {
	if g := m.find(addr); g != nil && g.holds > 0 {
		m.set(now, g, g.sockets, g.holds-1)
	}
}

// check returns why a filter can't be set.
func (m *Member) check(addr netip.Addr, f Filter) error {
	switch {
	case !m.is(addr) || !addr.IsMulticast():
		return ErrNotMulticast
	case f.Exclude && SourceSpecific(addr):
		return ErrSourceSpecific
	case len(f.Sources) > m.cfg.Sources:
		return ErrTooManySources
	}
	for _, s := range f.Sources {
		if !m.is(s) || s.IsMulticast() || s.IsUnspecified() {
			return ErrBadSource
		}
	}
	return nil
}

// is reports whether an address is of our family.
func (m *Member) is(addr netip.Addr) bool {
	return addr.IsValid() && !addr.Is4In6() && addr.Is6() == m.six && addr.Zone() == ""
}

var (
	ssm4 = netip.MustParsePrefix("232.0.0.0/8")
	ssm6 = netip.MustParsePrefix("ff30::/12")
)

// SourceSpecific reports whether a group is one of source-specific multicast:
// 232/8, or ff3x::/32 (RFC 4607, 1). "If the host IP module of an SSM-aware host
// receives a non-source-specific request to receive multicast traffic sent to an
// SSM destination address, it SHOULD return an error to the application"
// (RFC 4604, 2.1).
func SourceSpecific(addr netip.Addr) bool {
	if addr.Is4() {
		return ssm4.Contains(addr)
	}
	b := addr.As16()
	return ssm6.Contains(addr) && b[2] == 0 && b[3] == 0
}

// with returns the group's memberships with that of one socket changed.
func (g *group) with(socket uint64, f Filter) []membership {
	all := slices.Clone(g.sockets)
	i := g.member(socket)
	switch {
	case i >= 0 && f.Nobody():
		return slices.Delete(all, i, i+1)
	case i >= 0:
		all[i].filter = f
	case !f.Nobody():
		all = append(all, membership{socket, f})
	}
	return all
}

// set gives a group its memberships, and reports what changes by that. "If
// system resource limits are reached when an interface state source list is
// calculated, an error MUST be returned to the application which requested the
// operation." (RFC 3376, 3.2)
func (m *Member) set(now clock.Time, g *group, sockets []membership, holds int) error {
	m.cause = m.Cause
	filters := make([]Filter, 0, len(sockets)+1)
	for _, x := range sockets {
		filters = append(filters, x.filter)
	}
	if holds > 0 {
		filters = append(filters, Everyone)
	}
	before, after := g.filter, merge(filters)
	switch {
	case len(after.Sources) > m.cfg.Sources:
		return ErrTooManySources
	case before.Nobody() && !after.Nobody():
		if m.joined >= m.cfg.Groups {
			return ErrTooManyGroups
		}
		m.enter(g)
	case !before.Nobody() && after.Nobody():
		m.joined--
		m.tell(Fact{Kind: Left, Group: g.addr})
	}
	g.sockets, g.holds, g.filter = sockets, holds, after
	if !before.equal(after) {
		m.reportChange(now, g, before)
	}
	return nil
}

// enter puts a group into the table, if it is not there still.
func (m *Member) enter(g *group) {
	m.joined++
	m.tell(Fact{Kind: Joined, Group: g.addr})
	if i, ok := m.search(g.addr); !ok {
		m.groups = slices.Insert(m.groups, i, g)
		m.bound()
	}
}

// bound forgets a group that was left, if there are too many that wait for that
// to be reported again.
func (m *Member) bound() {
	if len(m.groups) <= 2*m.cfg.Groups {
		return
	}
	i := slices.IndexFunc(m.groups, func(g *group) bool { return g.filter.Nobody() && g.modeLeft > 0 })
	if i >= 0 {
		m.groups = slices.Delete(m.groups, i, i+1)
	}
}

// forget takes a group out of the table that nobody hears and of which nothing
// is left to be told.
func (m *Member) forget(g *group) {
	if i, ok := m.search(g.addr); ok && g.filter.Nobody() && g.changeAt == clock.Never {
		m.groups = slices.Delete(m.groups, i, i+1)
	}
}

// silent reports whether a group is never reported: "No IGMP messages are ever
// sent regarding the all-systems multicast address." (RFC 3376, 5) "No MLD
// messages are ever sent regarding neither the link-scope all-nodes multicast
// address, nor any multicast address of scope 0 (reserved) or 1 (node-local)."
// (RFC 3810, 6)
func (g *group) silent() bool {
	if g.addr.Is4() {
		return g.addr == wire.AllHostsIPv4
	}
	return g.addr == wire.AllNodes || g.addr.As16()[1]&0xf < 2
}
