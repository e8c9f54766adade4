package stack

import (
	"errors"
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/network/groups"
)

// GroupEnd is the side of an endpoint, of UDP or raw, that has to do with groups:
// most have nothing to do with them.
type GroupEnd struct {
	machine   *Stack
	multicast *multicast // nil if it has nothing to do with groups
}

// multicast is what an endpoint has to do with groups.
type multicast struct {
	id     uint64 // by which memberships know it
	joined []joined
	out    *Interface // that what it sends to groups leaves by; nil: the route says
	ttl    uint8      // of that
	quiet  bool       // it doesn't hear it itself, nor does anybody on this machine
	own    bool       // it hears the groups alone that it has joined itself
}

type joined struct {
	iface *Interface
	group netip.Addr
}

// A SourceOp is a change of the sources that an endpoint hears in a group.
type SourceOp = groups.Op

// The operations.
const (
	AddSource  = groups.AddSource
	DropSource = groups.DropSource
	Block      = groups.Block
	Unblock    = groups.Unblock
)

// groupUse returns what the endpoint has to do with groups, made if it was
// nothing yet.
func (e *GroupEnd) groupUse() *multicast {
	if e.multicast == nil {
		e.machine.groupUsers++
		e.multicast = &multicast{id: e.machine.groupUsers, ttl: defaultGroupTTL}
	}
	return e.multicast
}

// defaultGroupTTL keeps what is sent to a group on the link, unless the sender
// asks for more: "If the upper-layer protocol chooses not to specify a
// time-to-live, it should default to 1 for all multicast IP datagrams"
// (RFC 1112, 6.1; RFC 3493, 5.2).
const defaultGroupTTL = 1

// JoinGroup makes the endpoint hear a group on an interface, from all sources
// (RFC 1112, 7.1; RFC 3376, 2).
func (e *GroupEnd) JoinGroup(now clock.Time, i *Interface, group netip.Addr) error {
	return e.changeGroup(now, i, group, func(m *groups.Member, id uint64) error { return m.Join(now, id, group) })
}

// LeaveGroup ends that, whichever way it was joined.
func (e *GroupEnd) LeaveGroup(now clock.Time, i *Interface, group netip.Addr) error {
	return e.changeGroup(now, i, group, func(m *groups.Member, id uint64) error { return m.Leave(now, id, group) })
}

// ChangeSource changes from which sources the endpoint hears a group.
func (e *GroupEnd) ChangeSource(now clock.Time, i *Interface, group netip.Addr, op SourceOp, source netip.Addr) error {
	return e.changeGroup(now, i, group, func(m *groups.Member, id uint64) error {
		return m.ChangeSource(now, id, group, op, source)
	})
}

func (e *GroupEnd) changeGroup(now clock.Time, i *Interface, group netip.Addr, change func(*groups.Member, uint64) error) error {
	s := e.machine
	member := s.membership(i, group)
	if member == nil || !group.IsMulticast() {
		return ErrInvalid
	}
	use := e.groupUse()
	if err := change(member, use.id); err != nil {
		return groupError(err)
	}
	at := joined{i, group}
	_, in := member.Filter(use.id, group)
	switch listed := slices.Contains(use.joined, at); {
	case in && !listed:
		use.joined = append(use.joined, at)
	case !in && listed:
		use.joined = slices.DeleteFunc(use.joined, func(j joined) bool { return j == at })
	}
	s.generation++
	s.drainGroups(now, i, member)
	return nil
}

// groupError gives what a membership refuses the meaning that it has for
// sockets, as on Linux.
func groupError(err error) error {
	switch {
	case errors.Is(err, groups.ErrMember):
		return ErrAddrInUse
	case errors.Is(err, groups.ErrNotMember), errors.Is(err, groups.ErrNoSuchSource), errors.Is(err, groups.ErrSourceListed):
		return ErrAddrNotAvail
	case errors.Is(err, groups.ErrTooManyGroups), errors.Is(err, groups.ErrTooManySources):
		return ErrNoBuffers
	}
	return ErrInvalid
}

// LeaveGroups ends all that the endpoint hears of groups, as before it is closed.
func (e *GroupEnd) LeaveGroups(now clock.Time) {
	if e.multicast == nil {
		return
	}
	for _, j := range slices.Clone(e.multicast.joined) {
		// After the power was off, the membership has forgotten it already.
		_ = e.LeaveGroup(now, j.iface, j.group)
	}
	e.multicast.joined = nil
}

// SetGroupInterface sets the interface that what is sent to groups leaves by;
// nil leaves that to the route.
func (e *GroupEnd) SetGroupInterface(i *Interface) { e.groupUse().out = i }

// SetGroupTTL sets the TTL or hop limit of what is sent to groups; 0 keeps it on
// this machine.
func (e *GroupEnd) SetGroupTTL(ttl uint8) { e.groupUse().ttl = ttl }

// SetGroupLoop sets whether this machine hears what the endpoint sends to groups,
// which it does at first.
func (e *GroupEnd) SetGroupLoop(on bool) { e.groupUse().quiet = !on }

// SetGroupAll sets whether the endpoint hears groups that others on this machine
// have joined, as it does at first (IP_MULTICAST_ALL).
func (e *GroupEnd) SetGroupAll(on bool) { e.groupUse().own = !on }

// GroupInterface returns the interface for a group where a program names none:
// the one that has an address of the machine's, else the one that packets to the
// group leave by.
func (s *Stack) GroupInterface(group, addr netip.Addr) (*Interface, error) {
	if addr.IsValid() && !addr.IsUnspecified() {
		if i := s.own.by(addr); i != nil {
			return i, nil
		}
		return nil, ErrAddrNotAvail
	}
	v, err := s.pathTo(group, netip.Addr{})
	return v.iface, err
}

// towardGroup returns where a datagram to a group goes, and the address that it
// is to come from, if the endpoint says so.
func (e *GroupEnd) towardGroup(to, source netip.Addr) (netip.Addr, netip.Addr) {
	use := e.multicast
	switch {
	case use == nil || use.out == nil || !to.IsMulticast():
	case to.Is6() && to.Zone() == "":
		to = to.WithZone(use.out.Name)
	case to.Is4() && !source.IsValid() && len(use.out.addresses) > 0:
		source = use.out.addresses[0].Addr()
	}
	return to, source
}

// groupTTL returns the TTL of what the endpoint sends to a group along v, which
// for 0 doesn't leave the machine.
func (e *GroupEnd) groupTTL(v *path) uint8 {
	ttl := uint8(defaultGroupTTL)
	if use := e.multicast; use != nil {
		ttl, v.quiet = use.ttl, use.quiet
	}
	if ttl == 0 {
		v.iface, v.neighbors = e.machine.loopback, nil
	}
	return ttl
}

// hears reports whether the endpoint hears a source in a group, from an interface.
// What this machine has sent itself comes by loopback: then any interface will do.
func (e *GroupEnd) hears(group, source netip.Addr, from int) bool {
	if !group.IsMulticast() {
		return true
	}
	s, id, all := e.machine, uint64(0), true
	if e.multicast != nil {
		id, all = e.multicast.id, !e.multicast.own
	}
	for _, i := range s.interfaces {
		if i.Index != from && !s.interfaces[from].Loopback {
			continue
		}
		if m := s.membership(i, group); m != nil && m.Delivers(id, bare(group), bare(source), all) {
			return true
		}
	}
	return false
}
