package stack

import (
	"net/netip"

	"hubbub/clock"
)

// Renew gives the endpoint up and returns one with the same options, and the
// same local address where its owner had bound it to one: what a socket stands
// on after an attempt to connect has failed, as on Linux.
func (e *TCP) Renew(now clock.Time) *TCP {
	s := e.stack
	n := s.NewTCP()
	n.settings = e.settings
	local, b := e.local, s.tcpPorts.binding(e.binding)
	asked := e.binding != 0 && !b.ephemeral
	e.Close(now)
	if asked {
		n.hold(netip.AddrPortFrom(b.addr, local.Port()), b)
	}
	return n
}
