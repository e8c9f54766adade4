package stack

import (
	"fmt"
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/network/addrselect"
	"hubbub/network/autoconf"
	"hubbub/network/dhcp6"
	"hubbub/wire"
)

// DHCPv6 is a part of how an interface is configured: neither side has a socket.
// Who asks, asks because a router's advertisement says that there is somebody who
// answers.

// serveDHCP makes a router answer on an interface's link, if it is to.
func (s *Stack) serveDHCP(now clock.Time, i *Interface) {
	x := i.six
	if x.cfg.DHCP == nil {
		return
	}
	cfg := *x.cfg.DHCP
	cfg.DUID = s.duid()
	x.server = dhcp6.NewServer(&cfg)
	s.join(now, i, wire.AllDHCP6Servers)
}

// duid says who the machine is, whichever of its cards it speaks by.
func (s *Stack) duid() []byte {
	for _, i := range s.interfaces {
		if !i.Loopback {
			return dhcp6.LinkLayerDUID(i.MAC)
		}
	}
	return nil
}

// askDHCP begins to ask for addresses, or for settings alone, as soon as there is
// an address to ask from.
func (s *Stack) askDHCP(now clock.Time, i *Interface, what uint32) {
	cfg := dhcp6.ClientConfig{DUID: s.duid(), IAID: uint32(i.Index), Stateless: what == autoconf.DHCPSettings}
	i.six.client = dhcp6.NewClient(&cfg, s.rnd)
	if i.six.up {
		i.six.client.Start(now)
	}
}

// drainDHCP does what the client asks for, and sends its messages: "The client
// uses a link-local address [...] for transmitting and receiving DHCP messages."
// (RFC 8415, 5)
func (s *Stack) drainDHCP(now clock.Time, i *Interface) {
	x := i.six
	for c, ok := x.client.PollChange(); ok; c, ok = x.client.PollChange() {
		s.applyDHCP(now, i, &c)
	}
	for m, ok := x.client.PollMessage(now); ok; m, ok = x.client.PollMessage(now) {
		from := netip.AddrPortFrom(s.zoned(i, x.linkLocal()), wire.DHCP6ClientPort)
		to := netip.AddrPortFrom(wire.AllDHCP6Servers.WithZone(i.Name), wire.DHCP6ServerPort)
		s.sendDHCP(now, from, to, m.Payload, m.Reason, m.RFC)
	}
}

func (s *Stack) sendDHCP(now clock.Time, from, to netip.AddrPort, payload []byte, reason, rfc string) {
	v, err := s.pathTo(to.Addr(), from.Addr())
	if err != nil {
		s.discards[discardNoRoute]++ // the address was lost meanwhile
		return
	}
	p := s.packUDP(from, to, pkt.CopyView(payload))
	p.Reason, p.RFC, p.Cause = reason, rfc, uint64(s.stream.Cause())
	s.send(now, p, &v, &envelope{src: from.Addr(), dst: to.Addr(), protocol: wire.ProtocolUDP})
}

// applyDHCP does what a change asks for, and tells of it. "Addresses obtained
// from an IA_NA [...] MUST NOT be used to form an implicit prefix with a length
// other than 128." "The client performs the duplicate address detection before
// using the received addresses for any traffic." (RFC 8415, 18.2.10.1)
func (s *Stack) applyDHCP(now clock.Time, i *Interface, c *dhcp6.Change) {
	x, of := i.six, c.Addr.String()
	switch c.Kind {
	case dhcp6.AddAddress:
		if s.own.by(c.Addr) == nil {
			s.claim(now, i, address6{Source: addrselect.Source{Prefix: netip.PrefixFrom(c.Addr, 128)}, auto: true}, true)
		}
	case dhcp6.UpdateAddress:
		s.deprecate(i, c.Addr, false)
	case dhcp6.Deprecate:
		s.deprecate(i, c.Addr, true)
	case dhcp6.RemoveAddress:
		s.disown(now, i, c.Addr)
	case dhcp6.SetServers:
		of = fmt.Sprint(x.client.Servers())
	case dhcp6.SetDomains:
		of = fmt.Sprint(x.client.Domains())
	}
	s.stream.Publish(now, s.cfg.Name, event.Configured{Port: i.Name, What: c.Kind.String(), Of: of, Why: c.Why})
}

// handleDHCP takes a message of DHCPv6, if the interface asks or answers. It
// reports false for what is a program's.
func (s *Stack) handleDHCP(now clock.Time, at arrival, p *pkt.Packet, d *Datagram) bool {
	x := at.iface.six
	var why dhcp6.Reason
	switch {
	case x == nil:
		return false
	case d.To.Port() == wire.DHCP6ClientPort && x.client != nil:
		why = x.client.HandleMessage(now, d.Payload.Bytes())
	case d.To.Port() == wire.DHCP6ServerPort && x.server != nil:
		why = s.answerDHCP(now, at.iface, d)
	default:
		return false
	}
	d.Payload.Release()
	if why != 0 {
		s.discard(now, at.iface, p, discardDHCP+Discard(why))
	} else {
		p.Release()
	}
	s.drainIPv6(now, at.iface)
	return true
}

// answerDHCP answers a client on its link: "the server is not supposed to accept
// unicast traffic when it is not explicitly configured to do so" (RFC 8415, 18.4).
func (s *Stack) answerDHCP(now clock.Time, i *Interface, d *Datagram) dhcp6.Reason {
	if !isLocal(d.From.Addr()) || !d.To.Addr().IsMulticast() {
		return dhcp6.NotForUs
	}
	answer, why := i.six.server.HandleMessage(now, d.Payload.Bytes())
	if why == 0 {
		from := netip.AddrPortFrom(s.zoned(i, i.six.linkLocal()), wire.DHCP6ServerPort)
		s.sendDHCP(now, from, d.From, answer, "DHCPv6: answers a client", "RFC 8415, 18.3.10")
	}
	return why
}

// Leases returns the addresses that the machine has given out by DHCPv6 on an
// interface.
func (i *Interface) Leases(now clock.Time) []dhcp6.Lease {
	if i.six == nil || i.six.server == nil {
		return nil
	}
	return i.six.server.Leases(now)
}

// NameServers returns the DNS servers that the machine has heard of: they are
// kept "so that information from DHCP appears there first and therefore takes
// precedence" (RFC 8106, 5.3.1). It allocates.
func (s *Stack) NameServers() (all []netip.Addr) {
	s.eachSource(func(i *Interface, servers []netip.Addr, _ []string) {
		for _, addr := range servers {
			if addr = s.zoned(i, addr); !slices.Contains(all, addr) {
				all = append(all, addr)
			}
		}
	})
	return all
}

// SearchDomains returns the domains in which the machine has heard that names are
// to be looked for. It allocates.
func (s *Stack) SearchDomains() (all []string) {
	s.eachSource(func(_ *Interface, _ []netip.Addr, domains []string) {
		for _, name := range domains {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	})
	return all
}

// eachSource calls f with what each source of settings says.
func (s *Stack) eachSource(f func(i *Interface, servers []netip.Addr, domains []string)) {
	for _, i := range s.interfaces {
		if i.six != nil && i.six.client != nil {
			f(i, i.six.client.Servers(), i.six.client.Domains())
		}
	}
	for _, i := range s.interfaces {
		if i.six != nil && i.six.host != nil {
			f(i, i.six.host.Servers(), i.six.host.Domains())
		}
	}
}
