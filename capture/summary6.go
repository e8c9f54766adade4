package capture

import (
	"fmt"
	"net/netip"
	"strings"

	"hubbub/wire"
)

// icmp6Text says in a few words what an ICMPv6 message is.
func (p *Packet) icmp6Text() string {
	m := &p.ICMPv6
	switch m.Type {
	case wire.ICMPv6EchoRequest, wire.ICMPv6EchoReply:
		return fmt.Sprintf("%s id=%d seq=%d LEN=%d", m.Text(), m.ID(), m.Seq(), len(p.Payload))
	case wire.ICMPv6PacketTooBig:
		return fmt.Sprintf("%s: the next link's MTU is %d", m.Text(), m.Word())
	case wire.ICMPv6ParameterProblem:
		return fmt.Sprintf("%s at octet %d", m.Text(), m.Word())
	case wire.NeighborSolicitation, wire.NeighborAdvertisement:
		if n, err := wire.ParseNeighborMessage(m, p.Payload); err == nil {
			return p.neighborText(&n)
		}
	case wire.ICMPv6RouterAdvertisement:
		if a, err := wire.ParseRouterAdvert(m, p.Payload); err == nil {
			return "router advertisement: " + advertText(&a)
		}
	case wire.ICMPv6RouterSolicitation:
		return "router solicitation: is there a router?"
	case wire.ICMPv6Redirect:
		if r, err := wire.ParseRedirect(p.Payload); err == nil {
			return fmt.Sprintf("redirect: %v is better reached by %v", r.Dst, r.Target)
		}
	case wire.MulticastListenerReportV2:
		return "multicast listener report: " + reportText(m, p.Payload)
	}
	return m.Text()
}

func (p *Packet) neighborText(n *wire.NeighborMessage) string {
	switch {
	case p.ICMPv6.Type == wire.NeighborAdvertisement:
		if mac, ok := wire.FindNDPOption(n.Options, wire.TargetLinkAddress).LinkAddress(); ok {
			return fmt.Sprintf("neighbor advertisement: %v is at %v", n.Target, mac)
		}
		return fmt.Sprintf("neighbor advertisement of %v", n.Target)
	case p.IP.Src.IsUnspecified():
		return fmt.Sprintf("neighbor solicitation: does anybody use %v?", n.Target)
	}
	return fmt.Sprintf("neighbor solicitation: who has %v? Tell %v", n.Target, p.IP.Src)
}

// advertText says what a router advertises.
func advertText(a *wire.RouterAdvert) string {
	texts := []string{fmt.Sprintf("a default router for %d s", a.Lifetime)}
	if a.Lifetime == 0 {
		texts[0] = "no default router"
	}
	for o, rest, ok := wire.NextNDPOption(a.Options); ok; o, rest, ok = wire.NextNDPOption(rest) {
		if prefix, is := o.PrefixInfo(); is {
			text := "prefix " + prefix.Prefix.String()
			if prefix.Autonomous {
				text += ", to make addresses from"
			}
			texts = append(texts, text)
		}
		if mtu := o.MTU(); mtu != 0 {
			texts = append(texts, fmt.Sprintf("MTU %d", mtu))
		}
	}
	return strings.Join(texts, "; ")
}

func reportText(m *wire.ICMPv6, records []byte) string {
	var texts []string
	for range m.Records() {
		r, rest, err := wire.NextListenerRecord(records)
		if err != nil {
			break
		}
		records = rest
		verb := "listens to "
		if r.Type == wire.ChangeToInclude && len(r.Sources) == 0 {
			verb = "leaves "
		}
		texts = append(texts, verb+r.Group.String())
	}
	return strings.Join(texts, ", ")
}

// groupName says who a well-known group of IPv6 is, or an empty string.
func groupName(addr netip.Addr) string {
	switch {
	case addr == wire.AllNodes:
		return "everybody"
	case addr == wire.AllRouters:
		return "all routers"
	case wire.IsSolicitedNode(addr):
		return "the group " + addr.String()
	case addr == netip.MustParseAddr("ff02::16"):
		return "whoever keeps track of groups"
	}
	return ""
}
