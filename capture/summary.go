package capture

import (
	"fmt"
	"strings"

	"hubbub/wire"
)

// Protocol returns the name of the innermost protocol whose header was read.
func (p *Packet) Protocol() string {
	switch {
	case p.Has&LayerTCP != 0:
		return "TCP"
	case p.Has&LayerUDP != 0:
		return "UDP"
	case p.Has&LayerICMP != 0:
		return "ICMP"
	case p.Has&LayerICMPv6 != 0:
		return "ICMPv6"
	case p.Has&LayerIPv4 != 0:
		return "IPv4"
	case p.Has&LayerIPv6 != 0:
		return "IPv6"
	case p.Has&LayerARP != 0:
		return "ARP"
	}
	return "Ethernet"
}

// Summary says in one line what the frame is.
func (p *Packet) Summary() string {
	text := p.summary()
	if p.Wrong != "" {
		text += " (" + p.Wrong + ")"
	}
	return text
}

func (p *Packet) summary() string {
	switch {
	case p.Has&LayerARP != 0:
		return p.arpSummary()
	case p.Has&LayerTCP != 0:
		return fmt.Sprintf("TCP %d -> %d %s", p.TCP.SrcPort, p.TCP.DstPort, p.tcpText(p.TCP.Seq, p.TCP.Ack))
	case p.Has&LayerUDP != 0:
		text := fmt.Sprintf("UDP %d -> %d LEN=%d", p.UDP.SrcPort, p.UDP.DstPort, p.UDP.Length-wire.UDPHeaderLen)
		if more := p.application(); more != "" {
			return text + ", " + more
		}
		return text
	case p.Has&LayerICMP != 0:
		return "ICMP " + p.icmpText()
	case p.Has&LayerICMPv6 != 0:
		return "ICMPv6 " + p.icmp6Text()
	case p.Has&layerIP != 0:
		return fmt.Sprintf("%v %v -> %v, %s", p.IP.Protocol, p.IP.Src, p.IP.Dst, p.fragmentText())
	case p.Has&LayerEthernet != 0:
		return fmt.Sprintf("%v %v -> %v, %d octets", p.Ethernet.Type, p.Ethernet.Src, p.Ethernet.Dst, len(p.Payload))
	}
	return fmt.Sprintf("%d octets", len(p.Payload))
}

func (p *Packet) arpSummary() string {
	a := &p.ARP
	switch {
	case a.Op == wire.ARPRequest && a.SenderIP == a.TargetIP:
		return fmt.Sprintf("ARP announcement: %v is at %v", a.SenderIP, a.SenderMAC)
	case a.Op == wire.ARPRequest && a.SenderIP.IsUnspecified():
		return fmt.Sprintf("ARP probe: does anybody use %v?", a.TargetIP)
	case a.Op == wire.ARPRequest:
		return fmt.Sprintf("ARP request: who has %v? Tell %v", a.TargetIP, a.SenderIP)
	case a.Op == wire.ARPReply:
		return fmt.Sprintf("ARP reply: %v is at %v", a.SenderIP, a.SenderMAC)
	}
	return "ARP " + a.Op.String()
}

// flagText writes a segment's flags as words with spaces between.
func flagText(f wire.TCPFlags) string {
	if f == 0 {
		return "no flags"
	}
	// SYN, FIN and RST are what a segment is about: they come first.
	const first = wire.SYN | wire.FIN | wire.RST
	var words []string
	for _, part := range []wire.TCPFlags{f & first, f &^ first} {
		if part != 0 {
			words = append(words, part.String())
		}
	}
	return strings.ReplaceAll(strings.Join(words, " "), "|", " ")
}

// tcpText writes a segment's flags and numbers, the latter as they are given:
// relative or not.
func (p *Packet) tcpText(seq, ack uint32) string {
	text := fmt.Sprintf("%s SEQ=%d", flagText(p.TCP.Flags), seq)
	if p.TCP.Flags.Has(wire.ACK) {
		text += fmt.Sprintf(" ACK=%d", ack)
	}
	if n := p.dataLen(); n > 0 {
		text += fmt.Sprintf(" LEN=%d", n)
	}
	return text
}

// sackText writes what a segment acknowledges selectively: the first octet of
// each block and the one behind its last, counted from base.
func (p *Packet) sackText(base uint32) string {
	o := &p.TCP.Options
	text := ""
	for i, block := range o.SACK[:o.NumSACK] {
		lead := " SACK="
		if i > 0 {
			lead = ","
		}
		text += fmt.Sprintf("%s%d-%d", lead, block.Left-base, block.Right-base)
	}
	return text
}

// dataLen returns how many octets of data a segment or datagram carries.
func (p *Packet) dataLen() int { return len(p.Payload) }

func (p *Packet) icmpText() string {
	m := &p.ICMP
	text := m.Text()
	switch m.Type {
	case wire.Echo, wire.EchoReply:
		return fmt.Sprintf("%s id=%d seq=%d LEN=%d", text, m.ID(), m.Seq(), len(p.Payload))
	case wire.Redirect:
		return fmt.Sprintf("%s to %v", text, m.Gateway())
	case wire.DestinationUnreachable:
		if m.Code == wire.CodeFragmentationNeeded {
			return fmt.Sprintf("%s: the next link's MTU is %d", text, m.MTU())
		}
	}
	return text
}

func (p *Packet) fragmentText() string {
	if !p.Fragment() {
		return counted(len(p.Payload), "octet")
	}
	n := p.IP.TotalLen - p.IP.HeaderLen()
	text := fmt.Sprintf("fragment: octets %d-%d", p.IP.FragOffset, p.IP.FragOffset+max(n, 1)-1)
	if !p.IP.MF {
		return text + ", the last"
	}
	return text
}
