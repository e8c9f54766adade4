package lab

import (
	"context"
	"net/netip"

	"hubbub/socket"
)

// family returns that of the sockets which the actor's programs use: AF_INET6
// where the host uses IPv6, for that talks to both.
func (a *actor) family() socket.Family {
	for _, i := range a.host().Interfaces() {
		if len(i.IPv6) > 0 {
			return socket.AF_INET6
		}
	}
	return socket.AF_INET
}

// reaches6 reports whether the host talks to another over IPv6.
func (a *actor) reaches6(name string) bool {
	addrs, err := a.host().Resolver().LookupNetIP(context.Background(), "ip", name)
	return err == nil && addrs[0].Is6() && addrs[0] != netip.IPv6Unspecified()
}
