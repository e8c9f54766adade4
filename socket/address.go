package socket

import (
	"context"
	"net"
	"net/netip"
	"syscall"
)

// shown returns an address as the socket's family has it: one of IPv4 is an
// IPv4-mapped one of AF_INET6 (RFC 3493, 3.7).
func (s *Socket) shown(addr netip.AddrPort) netip.AddrPort {
	if s.family != AF_INET6 || !addr.Addr().Is4() {
		return addr
	}
	return netip.AddrPortFrom(netip.AddrFrom16(addr.Addr().As16()), addr.Port())
}

// meant returns the address that a program means, as the stack has it. The
// errors are EAFNOSUPPORT for one of the other family, and refused for one of
// IPv4 where the socket is for IPv6 only.
func (s *Socket) meant(addr netip.AddrPort, refused error) (netip.AddrPort, error) {
	ip := addr.Addr()
	switch {
	case !ip.IsValid() || s.family == AF_INET && ip.Is4():
		return addr, nil
	case s.family == AF_INET && ip.Is4In6():
		return netip.AddrPortFrom(ip.Unmap(), addr.Port()), nil
	case s.family == AF_INET:
		return addr, syscall.EAFNOSUPPORT
	case ip.Unmap().Is4() && s.v6Only():
		return addr, refused
	}
	return netip.AddrPortFrom(ip.Unmap(), addr.Port()), nil
}

// v6Only reports whether the socket is for IPv6 alone (IPV6_V6ONLY).
func (s *Socket) v6Only() bool {
	switch {
	case s.tcp != nil:
		return s.tcp.Settings().Options.V6Only
	case s.other.udp != nil:
		return s.other.udp.Options.V6Only
	}
	return s.family == AF_INET6
}

// unspecified returns the address that stands for all of the socket's.
func (s *Socket) unspecified() netip.Addr {
	if s.family == AF_INET6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// resolve finds the address and port that "host:port" means to the socket: of
// a name's addresses the first that its family can have. An empty host is the
// unspecified address; a port may have a name.
func (s *Socket) resolve(network, address string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	number, err := lookupPort(network, port)
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr, err := s.lookup(host)
	return netip.AddrPortFrom(addr, number), err
}

func (s *Socket) lookup(host string) (netip.Addr, error) {
	if host == "" {
		return s.unspecified(), nil
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr, nil // whether it suits is found when it is used
	}
	addrs, err := s.host.lookup(context.Background(), host)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, addr := range addrs {
		if addr.Is4() == (s.family == AF_INET) {
			return addr, nil
		}
	}
	if s.family == AF_INET6 && !s.v6Only() {
		return addrs[0], nil // of IPv4, to be mapped
	}
	return netip.Addr{}, &net.AddrError{Err: "no suitable address found", Addr: host}
}
