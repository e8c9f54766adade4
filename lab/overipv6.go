package lab

import (
	"fmt"
	"net/netip"
	"slices"
)

// OverIPv6 moves the lab to IPv6: each LAN gets a subnet of IPv6 in the place of
// its IPv4 one, and each machine the same number there. What is about IPv4
// itself, such as a scenario that shouts to everyone, can't be moved: the error
// says what.
func (c *Config) OverIPv6() error {
	move := make(map[netip.Addr]netip.Addr)
	for i := range c.LANs {
		l := &c.LANs[i]
		if !l.Subnet.IsValid() {
			continue
		}
		if !l.Subnet6.IsValid() {
			l.Subnet6 = subnet6(i)
		}
		c.moveHosts(l, move)
		c.movePorts(l, move)
	}
	for i := range c.LANs {
		for j, addr := range c.LANs[i].NameServers {
			if to, ok := move[addr]; ok {
				c.LANs[i].NameServers[j] = to
			}
		}
		c.LANs[i].NameServers = slices.Compact(c.LANs[i].NameServers)
	}
	for i := range c.Names {
		if to, ok := move[c.Names[i].Address]; ok {
			c.Names[i].Address = to
		}
	}
	err := c.moveSteps()
	for i := range c.LANs {
		c.LANs[i].Subnet = netip.Prefix{}
	}
	return err
}

// moveSteps moves the addresses that the scenario names.
func (c *Config) moveSteps() error {
	for i := range c.Scenario {
		program, ok := c.Scenario[i].Do.(Program)
		if !ok {
			continue
		}
		for j := range program.Calls {
			call := &program.Calls[j]
			if call.Host == "everyone" || call.Sources.IsValid() {
				return &Problem{File: c.File, At: call.At, What: "this is about IPv4 itself: the lab can't be moved to IPv6"}
			}
			call.Host = c.movedHost(call.Host)
		}
	}
	return nil
}

func (c *Config) movedHost(host string) string {
	addr, err := netip.ParseAddr(host)
	if err != nil || !addr.Is4() {
		return host
	}
	for i := range c.LANs {
		if l := &c.LANs[i]; l.Subnet.Contains(addr) {
			return moved(l, addr).String()
		}
	}
	return host
}

// subnet6 is the subnet of IPv6 that the LAN with that index gets: one for
// documentation (RFC 3849), with the number from 10 on in it.
func subnet6(i int) netip.Prefix {
	b := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	text := fmt.Sprintf("%d", 10+i) // to be read as hexadecimal digits
	var n uint16
	for _, digit := range text {
		n = n<<4 | uint16(digit-'0')
	}
	b[4], b[5] = byte(n>>8), byte(n)
	return netip.PrefixFrom(netip.AddrFrom16(b), 64)
}

// moved returns the address with the same number in the LAN's IPv6 subnet. The
// digits of the number's last octet look the same.
func moved(l *LAN, addr netip.Addr) netip.Addr {
	base, host := l.Subnet.Masked().Addr().As4(), addr.As4()
	b := l.Subnet6.Addr().As16()
	n := 0
	for i := range host {
		n = n<<8 | int(host[i]^base[i])
	}
	digits := fmt.Sprintf("%d", n)
	for i := range digits {
		at := 15 - (len(digits)-1-i)/2
		b[at] = b[at]<<4 | (digits[i] - '0')
	}
	return netip.AddrFrom16(b)
}

func (c *Config) moveHosts(l *LAN, move map[netip.Addr]netip.Addr) {
	for i := range c.Hosts {
		h := &c.Hosts[i]
		if h.LAN != l.Name || !h.Address.IsValid() {
			continue
		}
		if !h.Address6.IsValid() && !h.Auto {
			h.Address6 = moved(l, h.Address)
		}
		move[h.Address] = h.Address6
		h.Address, h.Gateway = netip.Addr{}, netip.Addr{}
	}
}

func (c *Config) movePorts(l *LAN, move map[netip.Addr]netip.Addr) {
	for i := range c.Routers {
		for j := range c.Routers[i].Ports {
			p := &c.Routers[i].Ports[j]
			if p.LAN != l.Name || !p.Address.IsValid() {
				continue
			}
			if !p.Address6.IsValid() {
				p.Address6 = moved(l, p.Address)
			}
			move[p.Address] = p.Address6
			p.Address = netip.Addr{}
		}
	}
}
