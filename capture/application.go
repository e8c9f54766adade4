package capture

import (
	"fmt"
	"strings"

	"hubbub/wire"
)

// application says what a datagram is of those services that belong to a network,
// by its ports: names (DNS) and addresses (DHCPv6). It is empty for all others, and
// for what can't be read.
func (p *Packet) application() string {
	if p.Has&LayerUDP == 0 || p.Fragment() {
		return ""
	}
	for _, port := range [...]uint16{p.UDP.SrcPort, p.UDP.DstPort} {
		switch port {
		case wire.DNSPort:
			return dnsText(p.Payload)
		case wire.DHCP6ClientPort, wire.DHCP6ServerPort:
			if m, err := wire.ParseDHCP6(p.Payload); err == nil {
				return "DHCPv6 " + m.Type.String() + dhcpText(&m)
			}
		}
	}
	return ""
}

// dnsText says what is asked, or what is answered.
func dnsText(b []byte) string {
	m, err := wire.ParseDNS(b)
	if err != nil {
		return ""
	}
	name := m.Name
	if name == "" {
		name = "the root"
	}
	asked := fmt.Sprintf("%s %s", name, m.Type)
	switch {
	case !m.Response:
		return "DNS: " + asked + "?"
	case m.Code != wire.DNSSuccess:
		return "DNS: " + asked + ": " + m.Code.String()
	case m.Truncated:
		return "DNS: " + asked + ": more than fits"
	}
	var found []string
	for r, ok := m.NextAnswer(); ok; r, ok = m.NextAnswer() {
		if r.Type == wire.DNSTypeCNAME {
			found = append(found, "see "+r.Alias)
		} else {
			found = append(found, r.Addr.String())
		}
	}
	if len(found) == 0 {
		return "DNS: " + asked + ": there is none"
	}
	return "DNS: " + asked + ": " + strings.Join(found, ", ")
}

// dhcpText says which address a message of DHCPv6 is about, if it names one.
func dhcpText(m *wire.DHCP6) string {
	data, _ := wire.FindDHCP6Option(m.Options, wire.DHCP6IANA)
	if ia, ok := wire.ParseDHCP6IA(data); ok {
		if data, ok := wire.FindDHCP6Option(ia.Options, wire.DHCP6IAAddress); ok {
			if a, ok := wire.ParseDHCP6Address(data); ok {
				return " " + a.Addr.String()
			}
		}
	}
	return ""
}
