package hubbub

import (
	"net/netip"

	"hubbub/network/dhcp6"
)

// dhcpMode says what a LAN's first router gives out by DHCPv6.
type dhcpMode uint8

const (
	noDHCP dhcpMode = iota
	settingsByDHCP
	addressesByDHCP
)

// NameServers makes the LAN's hosts ask those servers for names, instead of
// knowing the names of the network: see package application/dns for a server.
// Hosts that autoconfigure themselves hear of the servers of IPv6 by router
// advertisements (RFC 8106) and DHCPv6 alone; the others know them.
func NameServers(servers ...netip.Addr) LANOption {
	return func(o *lanOptions) { o.servers = append(o.servers, servers...) }
}

// SearchDomains are the domains in which the LAN's hosts look for names without a
// dot, where they ask name servers.
func SearchDomains(domains ...string) LANOption {
	return func(o *lanOptions) { o.domains = append(o.domains, domains...) }
}

// SettingsByDHCP makes the LAN's first router tell the name servers and domains
// by DHCPv6, too, and advertise that it does (RFC 4861, 4.2, the flag O).
func SettingsByDHCP() LANOption { return func(o *lanOptions) { o.dhcp = settingsByDHCP } }

// AddressesByDHCP makes the LAN's first router give the hosts that autoconfigure
// themselves addresses by DHCPv6, the 1000 from the subnet's ::1000 on, and not let
// them make their own (RFC 4861, 4.2, the flag M; RFC 4862, 5.5.3, the flag A).
func AddressesByDHCP() LANOption { return func(o *lanOptions) { o.dhcp = addressesByDHCP } }

// poolStart and poolSize are where the addresses begin that are given out, and
// how many there are.
const (
	poolStart = 0x1000
	poolSize  = 1000
)

// servers6 returns the name servers of IPv6.
func (l *LAN) servers6() (all []netip.Addr) {
	for _, addr := range l.options.servers {
		if addr.Is6() {
			all = append(all, addr)
		}
	}
	return all
}

// dhcpServer is what the LAN's first router gives out, nil for nothing.
func (l *LAN) dhcpServer() *dhcp6.ServerConfig {
	if l.options.dhcp == noDHCP || l.router != nil {
		return nil
	}
	cfg := &dhcp6.ServerConfig{Link: l.subnet6, DNS: l.servers6(), Domains: l.options.domains}
	if l.options.dhcp == addressesByDHCP {
		b := l.subnet6.Addr().As16()
		b[14], b[15] = poolStart>>8, poolStart&0xff
		cfg.First, cfg.Count = netip.AddrFrom16(b), poolSize
	}
	return cfg
}

// attachNames makes a host ask for names, where its LAN has servers of them. It
// needs the lock.
func (l *LAN) attachNames(a *attachment, o *hostOptions, router bool) {
	if len(l.options.servers) == 0 || router {
		return
	}
	servers, domains := l.options.servers, l.options.domains
	if o.autoconfigure {
		servers, domains = nil, nil
		for _, addr := range l.options.servers {
			if addr.Is4() {
				servers, domains = append(servers, addr), l.options.domains
			}
		}
	}
	a.host.sockets.UseNameServersLocked(servers, domains)
}
