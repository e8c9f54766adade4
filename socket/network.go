package socket

import (
	"context"
	"net"
	"net/netip"
)

// A wish is what the name of a network asks for, such as "tcp6".
type wish struct {
	network   string
	kind      Type
	unix      bool
	four, six bool // addresses of IPv4, of IPv6
}

func parseNetwork(network string) (wish, error) {
	w := wish{network: network, kind: SOCK_STREAM, four: true, six: true}
	switch network {
	case "tcp", "tcp4", "tcp6":
	case "udp", "udp4", "udp6":
		w.kind = SOCK_DGRAM
	case "unix":
		w.unix = true
	case "unixgram":
		w.unix, w.kind = true, SOCK_DGRAM
	default:
		return w, net.UnknownNetworkError(network)
	}
	switch network[len(network)-1] {
	case '4':
		w.six = false
	case '6':
		w.four = false
	}
	return w, nil
}

// suits reports whether addr is of a family that is asked for.
func (w *wish) suits(addr netip.Addr) bool { return addr.Is4() && w.four || addr.Is6() && w.six }

// familyOf returns the family of an address.
func familyOf(addr netip.Addr) Family {
	if addr.Is4() {
		return AF_INET
	}
	return AF_INET6
}

// addresses returns where "host:port" leads, in the order in which that is
// tried; there is at least one. An empty host is this machine.
func (h *Host) addresses(ctx context.Context, w *wish, address string) ([]netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	number, err := lookupPort(w.network, port)
	if err != nil {
		return nil, err
	}
	found := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	if host != "" {
		if found, err = h.lookup(ctx, host); err != nil {
			return nil, err
		}
	}
	var all []netip.AddrPort
	for _, addr := range found {
		if w.suits(addr) {
			all = append(all, netip.AddrPortFrom(addr, number))
		}
	}
	switch {
	case len(all) == 0:
		return nil, &net.AddrError{Err: "no suitable address found", Addr: host}
	case host == "":
		all = all[:1]
	}
	return all, nil
}

// bound returns a socket of network "tcp" or "udp" that is bound to an address.
// Bound to all, or to an unspecified address, it is for both families where the
// network's name leaves that open, and the machine has both.
func (h *Host) bound(w *wish, address string, reuse bool) (*Socket, error) {
	at, dual, err := h.listenAddr(w, address)
	if err != nil {
		return nil, err
	}
	s, err := h.goSocket(familyOf(at.Addr()), w.kind)
	if err != nil {
		return nil, err
	}
	if err = s.prepare(!dual, reuse); err == nil {
		err = failed("bind", s.bind(at))
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// listenAddr returns the address to bind to, and whether it stands for those of
// IPv4 too. Of a name's addresses it is the first of IPv4, as in Go's net.
func (h *Host) listenAddr(w *wish, address string) (at netip.AddrPort, dual bool, err error) {
	all, err := h.addresses(context.Background(), w, address)
	if err != nil {
		return at, false, err
	}
	at = all[0]
	for _, a := range all[1:] {
		if a.Addr().Is4() && !at.Addr().Is4() {
			at = a
		}
	}
	if w.four && w.six && at.Addr().IsUnspecified() && h.usesIPv6() {
		return netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port()), true, nil
	}
	return at, false, nil
}

func (h *Host) usesIPv6() bool {
	h.world.Enter()
	defer h.world.Unlock()
	return h.stack.UsesIPv6()
}

// prepare sets the options that a socket has before it is bound.
func (s *Socket) prepare(only, reuse bool) error {
	if reuse {
		if err := s.SetSockOpt(SOL_SOCKET, SO_REUSEADDR, 1); err != nil {
			return err
		}
	}
	if only && s.family == AF_INET6 {
		return s.SetSockOpt(IPPROTO_IPV6, IPV6_V6ONLY, 1)
	}
	return nil
}
