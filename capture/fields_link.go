package capture

import (
	"encoding/binary"
	"fmt"

	"hubbub/wire"
)

// readEthernet explains a frame from its beginning.
func (x *explainer) readEthernet() {
	b := x.frame
	x.begin(physical, "bits on a cable", 0, 0)
	n := len(x.frame) + len(x.fcs)
	x.field(0, n, "bits", fmt.Sprint(8*n), "high and low voltage, ones and zeros, in groups of eight; each octet's lowest bit goes first")
	x.field(0, 0, "around them", "8 + 12 octets", "7 octets 10101010 and one 10101011 go before, so that the receiver keeps time; a gap of at least 12 follows")
	x.begin(dataLink, "Ethernet header", 0, min(len(b), wire.EthernetHeaderLen))
	x.dolls = append(x.dolls, doll{title: "Ethernet frame", head: min(len(b), wire.EthernetHeaderLen), n: n})
	if x.short(b, wire.EthernetHeaderLen, "an Ethernet header") {
		return
	}
	x.field(0, 6, "destination", wire.MAC(b[:6]).String(), macMeaning(wire.MAC(b[:6])))
	x.field(6, 6, "source", wire.MAC(b[6:12]).String(), macMeaning(wire.MAC(b[6:12])))
	at := 12
	if wire.EtherType(binary.BigEndian.Uint16(b[12:])) == wire.EtherTypeVLAN {
		if !x.readTag(b) {
			return
		}
		at += wire.VLANTagLen
	}
	x.readType(at)
	x.readFCS()
}

// readTag explains an IEEE 802.1Q tag, and reports whether it is whole.
func (x *explainer) readTag(b []byte) bool {
	head := &x.parts[len(x.parts)-1]
	if x.short(b, wire.EthernetHeaderLen+wire.VLANTagLen, "an Ethernet header with a tag") {
		return false
	}
	head.title, head.n = "Ethernet header with an 802.1Q tag", wire.EthernetHeaderLen+wire.VLANTagLen
	x.dolls[0].head = head.n
	tci := binary.BigEndian.Uint16(b[14:])
	x.field(12, 2, "tag protocol", "0x8100", "an IEEE 802.1Q tag is between the addresses and the type")
	x.field(14, 1, "priority", fmt.Sprintf("%s  %d", bitsOf(tci>>8, 0xe0, 8), tci>>13), "0 to 7")
	x.field(14, 1, "drop eligible", bitsOf(tci>>8, 0x10, 8), "whether this frame goes first where some must go")
	x.field(14, 2, "VLAN", fmt.Sprint(tci&0xfff), "the virtual LAN that this frame belongs to; 0 is none")
	return true
}

// readType explains the EtherType, and what follows.
func (x *explainer) readType(at int) {
	kind := wire.EtherType(binary.BigEndian.Uint16(x.frame[at:]))
	value := fmt.Sprintf("0x%04x", uint16(kind))
	rest := at + 2
	switch {
	case kind <= wire.MaxPayload:
		x.field(at, 2, "length", value, fmt.Sprintf("%d octets of data: this is no Ethernet II frame but one of IEEE 802.3", kind))
		x.readData(dataLink, rest)
		x.stop("Which protocol the data is of, an LLC header tells, which isn't explained here.")
	case kind == wire.EtherTypeARP:
		x.field(at, 2, "type", value, "ARP: a question or an answer about addresses")
		x.readARP(rest)
	case kind == wire.EtherTypeIPv4:
		x.field(at, 2, "type", value, "IPv4: an IPv4 packet follows")
		x.readIPv4(rest)
	case kind == wire.EtherTypeIPv6:
		x.field(at, 2, "type", value, "IPv6: an IPv6 packet follows")
		x.readIPv6(rest)
	default:
		x.field(at, 2, "type", value, "no protocol that is known here")
		x.readData(network, rest)
		x.stop("What follows the Ethernet header is of an unknown type: its bytes can be shown, but not explained.")
	}
}

// readData shows octets that nothing more is known about.
func (x *explainer) readData(l level, from int) {
	b := x.frame[from:x.end]
	if len(b) == 0 {
		return
	}
	x.begin(l, "data", from, len(b))
	x.data, x.dataN = b, from
	if l != application {
		x.field(from, len(b), "data", counted(len(b), "octet"), "")
	}
	text := snippet(b, 24)
	if text == "" {
		text = counted(len(b), "octet")
	}
	x.dolls = append(x.dolls, doll{title: "data", n: len(b), text: text})
}

// padding notes octets behind a packet that only fill the frame.
func (x *explainer) padding(from int) {
	n := len(x.frame) - from
	if n <= 0 {
		return
	}
	x.end = from
	x.dolls[0].tails = append(x.dolls[0].tails, tail{"padding", n})
}

// readFCS explains the frame's trailer.
func (x *explainer) readFCS() {
	n := len(x.frame) - x.end
	if n > 0 {
		x.begin(dataLink, "padding", x.end, n)
		x.field(x.end, n, "padding", counted(n, "octet"), "a frame has at least 64 octets: 46 between header and trailer (IEEE 802.3, 3.2.8)")
	}
	if x.fcs == nil {
		return
	}
	from := len(x.frame)
	x.begin(dataLink, "Ethernet trailer", from, len(x.fcs))
	got, want := binary.LittleEndian.Uint32(x.fcs), wire.FCS(x.frame)
	meaning := "right: the CRC-32 of all octets before it"
	if got != want {
		meaning = fmt.Sprintf("wrong: it should be 0x%08x; a bit was damaged on the way, and the frame will be dropped", want)
	}
	x.field(from, len(x.fcs), "frame check sequence", fmt.Sprintf("0x%08x", got), meaning)
	x.dolls[0].tails = append(x.dolls[0].tails, tail{"FCS", len(x.fcs)})
}

// macMeaning says what a MAC address tells about whose it is.
func macMeaning(m wire.MAC) string {
	switch {
	case m.IsBroadcast():
		return "everybody on the link: all 48 bits are ones"
	case m.IsZero():
		return "nobody: all bits are zeros"
	case m.IsGroup():
		return "a group of stations: the first octet's lowest bit is one"
	}
	oui, serial := m.OUI(), m.Serial()
	if m.IsLocal() {
		return fmt.Sprintf("one station; OUI %02x:%02x:%02x, which is no maker's: the first octet's second bit says "+
			"that the address was made up locally; serial number %02x:%02x:%02x",
			oui[0], oui[1], oui[2], serial[0], serial[1], serial[2])
	}
	return fmt.Sprintf("one station; OUI %02x:%02x:%02x, the maker's number; serial number %02x:%02x:%02x",
		oui[0], oui[1], oui[2], serial[0], serial[1], serial[2])
}

// readARP explains an ARP packet.
func (x *explainer) readARP(at int) {
	b := x.frame[at:]
	n := min(len(b), wire.ARPLen)
	x.begin(network, "ARP packet", at, n)
	x.dolls = append(x.dolls, doll{title: "ARP packet", n: n, text: "who has which address"})
	if x.short(b, 8, "an ARP packet") {
		return
	}
	hard, proto, op := binary.BigEndian.Uint16(b), wire.EtherType(binary.BigEndian.Uint16(b[2:])), wire.ARPOp(binary.BigEndian.Uint16(b[6:]))
	x.field(at, 2, "hardware type", fmt.Sprint(hard), "1 is Ethernet")
	x.field(at+2, 2, "protocol type", fmt.Sprintf("0x%04x", uint16(proto)), proto.String())
	x.field(at+4, 1, "hardware length", fmt.Sprint(b[4]), "octets of a MAC address: 6")
	x.field(at+5, 1, "protocol length", fmt.Sprint(b[5]), "octets of an IPv4 address: 4")
	x.field(at+6, 2, "operation", fmt.Sprintf("%d, %v", uint16(op), op), arpMeaning(op))
	a, _, err := wire.ParseARP(b)
	switch {
	case err == nil:
		x.readARPAddresses(at, &a)
		x.padding(at + wire.ARPLen)
	case len(b) < wire.ARPLen:
		x.short(b, wire.ARPLen, "an ARP packet for IPv4 over Ethernet")
	default:
		x.stop("This ARP packet is not about IPv4 over Ethernet: its addresses can't be told apart.")
	}
}

func (x *explainer) readARPAddresses(at int, a *wire.ARP) {
	target := macMeaning(a.TargetMAC)
	if a.Op == wire.ARPRequest && a.TargetMAC.IsZero() {
		target = "not known: that is the question"
	}
	x.field(at+8, 6, "sender's MAC", a.SenderMAC.String(), macMeaning(a.SenderMAC))
	x.field(at+14, 4, "sender's IP", a.SenderIP.String(), x.addrMeaning(a.SenderIP))
	x.field(at+18, 6, "target's MAC", a.TargetMAC.String(), target)
	x.field(at+24, 4, "target's IP", a.TargetIP.String(), x.addrMeaning(a.TargetIP))
}

func arpMeaning(op wire.ARPOp) string {
	switch op {
	case wire.ARPRequest:
		return "who has the target's IP address? Tell the sender"
	case wire.ARPReply:
		return "the sender's IP address is at the sender's MAC address"
	}
	return "no operation that is known here"
}
