package link

import (
	"encoding/binary"
	"net/netip"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// A Match selects frames. A field that is zero selects any frame; a frame that
// lacks a field that is set, because it is of another protocol or a later
// fragment, is not selected. The fields are read as they stand, checksums
// unchecked.
type Match struct {
	EtherType  wire.EtherType // behind the VLAN tag, if there is one
	FromMAC    wire.MAC
	ToMAC      wire.MAC
	Protocol   wire.Protocol // of IPv4, or what IPv6's extension headers end in
	From, To   netip.Prefix  // that the IP addresses lie in
	FromPort   uint16        // of TCP or UDP
	ToPort     uint16
	FlagsSet   wire.TCPFlags // TCP flags that must be set
	FlagsClear wire.TCPFlags // TCP flags that must not be set
	MinPayload int           // bytes behind the headers of TCP, UDP, or of IP for other protocols

	// Func sets a further condition. It must not change the frame.
	Func func(*pkt.Packet) bool
}

// maxHeaders is the most that Ethernet, IPv4 and TCP headers take. IPv6 leaves
// room for 20 octets of extension headers.
const maxHeaders = wire.EthernetHeaderLen + wire.VLANTagLen + wire.MaxIPv4HeaderLen + wire.MaxTCPHeaderLen

// Matches reports whether m selects p.
func (m *Match) Matches(p *pkt.Packet) bool {
	var store [maxHeaders]byte
	h, l3, err := wire.ParseEthernet(headers(p, &store))
	switch {
	case err != nil,
		!m.ToMAC.IsZero() && m.ToMAC != h.Dst,
		!m.FromMAC.IsZero() && m.FromMAC != h.Src,
		m.EtherType != 0 && m.EtherType != h.Type,
		m.looksAtIP() && !m.ip(h.Type, l3):
		return false
	}
	return m.Func == nil || m.Func(p)
}

// ip reports whether m selects a packet whose header begins at b.
func (m *Match) ip(kind wire.EtherType, b []byte) bool {
	switch kind {
	case wire.EtherTypeIPv4:
		return m.ipv4(b)
	case wire.EtherTypeIPv6:
		return m.ipv6(b)
	}
	return false
}

// headers returns the first bytes of p, copied only if they are not all in
// its head.
func headers(p *pkt.Packet, store *[maxHeaders]byte) []byte {
	head := p.Head()
	if len(head) >= maxHeaders || len(head) == p.Len() {
		return head
	}
	n := copy(store[:], head)
	n += copy(store[n:], p.Body().Bytes())
	return store[:n]
}

func (m *Match) looksAtIP() bool {
	return m.Protocol != 0 || m.From.IsValid() || m.To.IsValid() || m.MinPayload > 0 || m.looksAtPorts() || m.looksAtFlags()
}

func (m *Match) looksAtPorts() bool { return m.FromPort != 0 || m.ToPort != 0 }

func (m *Match) looksAtFlags() bool { return m.FlagsSet != 0 || m.FlagsClear != 0 }

// ipv4 reports whether m selects a packet whose IPv4 header begins at b.
func (m *Match) ipv4(b []byte) bool {
	if len(b) < wire.IPv4HeaderLen || b[0]>>4 != 4 {
		return false
	}
	headerLen, protocol := int(b[0]&15)*4, wire.Protocol(b[9])
	if headerLen < wire.IPv4HeaderLen || len(b) < headerLen {
		return false
	}
	if m.Protocol != 0 && m.Protocol != protocol || !within(m.From, b[12:16]) || !within(m.To, b[16:20]) {
		return false
	}
	payload := int(binary.BigEndian.Uint16(b[2:])) - headerLen
	laterFragment := binary.BigEndian.Uint16(b[6:])&0x1fff != 0
	return m.carried(protocol, laterFragment, b[headerLen:], payload)
}

// ipv6 reports whether m selects a packet whose IPv6 header begins at b.
func (m *Match) ipv6(b []byte) bool {
	h, rest, err := wire.ParseIPv6Header(b)
	if err != nil || m.From.IsValid() && !m.From.Contains(h.Src) || m.To.IsValid() && !m.To.Contains(h.Dst) {
		return false
	}
	x, rest, err := wire.ParseIPv6Extensions(h.NextHeader, rest)
	if err != nil || m.Protocol != 0 && m.Protocol != x.Upper {
		return false
	}
	return m.carried(x.Upper, x.Fragment.Offset != 0, rest, h.PayloadLen-x.Len)
}

// carried reports whether m selects a packet that carries so many octets of a
// protocol, which begin at b.
func (m *Match) carried(protocol wire.Protocol, laterFragment bool, b []byte, payload int) bool {
	if laterFragment || protocol != wire.ProtocolTCP && protocol != wire.ProtocolUDP {
		return payload >= m.MinPayload && !m.looksAtPorts() && !m.looksAtFlags()
	}
	return m.transport(protocol, b, payload)
}

// transport reports whether m selects a segment or datagram whose header
// begins at b; payload is what IP carries.
func (m *Match) transport(protocol wire.Protocol, b []byte, payload int) bool {
	if len(b) < 8 ||
		m.FromPort != 0 && m.FromPort != binary.BigEndian.Uint16(b) ||
		m.ToPort != 0 && m.ToPort != binary.BigEndian.Uint16(b[2:]) {
		return false
	}
	if protocol == wire.ProtocolUDP {
		return !m.looksAtFlags() && payload-8 >= m.MinPayload
	}
	if len(b) < 14 {
		return false
	}
	flags := wire.TCPFlags(binary.BigEndian.Uint16(b[12:])) & 0x1ff
	return flags.Has(m.FlagsSet) && flags&m.FlagsClear == 0 && payload-int(b[12]>>4)*4 >= m.MinPayload
}

func within(prefix netip.Prefix, addr []byte) bool {
	if !prefix.IsValid() {
		return true
	}
	return prefix.Contains(netip.AddrFrom4([4]byte(addr)))
}
