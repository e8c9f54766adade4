package stack

import (
	"hubbub/clock"
	"hubbub/network/groups"
	"hubbub/wire"
)

// queriers are what an interface asks for groups with, of IPv4 and of IPv6.
type queriers struct {
	on        bool // stays when the power is off
	four, six *groups.Querier
}

// StartQuerier makes an interface ask who is in which groups, as multicast routers
// do (RFC 3376, 6.6; RFC 3810, 7.1), so that switches which look into the answers
// know where to send what is for a group.
func (s *Stack) StartQuerier(now clock.Time, i *Interface) {
	if i.Loopback {
		return
	}
	i.queriers.on = true
	s.restartQueriers(i)
	s.hearReports4(now, i)
	s.hearReports6(now, i)
	s.driveQueriers(now, i)
}

// restartQueriers makes an interface's queriers anew, as when the power is back.
func (s *Stack) restartQueriers(i *Interface) {
	if i.queriers.on {
		i.queriers.four, i.queriers.six = groups.NewQuerier(nil, false), groups.NewQuerier(nil, true)
	}
}

// hearReports4 and hearReports6 join the groups that reports are sent to.
func (s *Stack) hearReports4(now clock.Time, i *Interface) {
	if i.queriers.on && len(i.addresses) > 0 {
		s.join(now, i, wire.AllIGMPv3Routers)
		s.join(now, i, wire.AllRoutersIPv4)
		s.drainGroups(now, i, i.groups)
	}
}

func (s *Stack) hearReports6(now clock.Time, i *Interface) {
	if i.queriers.on && i.six != nil {
		s.join(now, i, wire.AllMLDv2Routers)
		s.drainGroups(now, i, i.six.groups)
	}
}

// driveQueriers lets an interface's queriers ask what is due, once there is an
// address to ask from: a link-local one of IPv6 (RFC 3810, 5.1.14).
func (s *Stack) driveQueriers(now clock.Time, i *Interface) {
	q := &i.queriers
	if !q.on {
		return
	}
	if len(i.addresses) > 0 {
		q.four.SetSource(now, i.addresses[0].Addr())
	}
	if i.six != nil && i.six.up {
		q.six.SetSource(now, i.six.linkLocal())
	}
	for _, one := range [...]*groups.Querier{q.four, q.six} {
		if one.NextTimer().Due(now) {
			one.HandleTimer(now)
		}
		for m, ok := one.PollMessage(); ok; m, ok = one.PollMessage() {
			s.sendGroupMessage(i, &m)
		}
	}
}

// nextTimer returns when an interface's queriers ask next.
func (q *queriers) nextTimer() clock.Time {
	if !q.on {
		return clock.Never
	}
	return clock.Earlier(q.four.NextTimer(), q.six.NextTimer())
}
