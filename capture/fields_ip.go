package capture

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"hubbub/wire"
)

// readIPv4 explains an IPv4 packet (RFC 791, 3.1).
func (x *explainer) readIPv4(at int) {
	b := x.frame[at:]
	x.begin(network, "IPv4 header", at, min(len(b), wire.IPv4HeaderLen))
	x.dolls = append(x.dolls, doll{title: "IPv4 packet", head: min(len(b), wire.IPv4HeaderLen), n: len(b)})
	if x.short(b, wire.IPv4HeaderLen, "an IPv4 header") {
		return
	}
	n, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	x.ipv4First(at, b, n, total)
	switch {
	case b[0]>>4 != 4:
		x.stop("The version is %d: this is no IPv4 header, whatever the EtherType says.", b[0]>>4)
		return
	case n < wire.IPv4HeaderLen || n > len(b):
		x.stop("A header of %d octets can't be: it has at least 20, and %d are here.", n, len(b))
		return
	}
	x.ipv4Second(at, b, n)
	x.dolls[1].head = n
	x.parts[len(x.parts)-1].n = n
	if n > wire.IPv4HeaderLen {
		x.ipv4Options(at+wire.IPv4HeaderLen, b[wire.IPv4HeaderLen:n])
	}
	if total >= n && total <= len(b) {
		x.dolls[1].n = total
		x.padding(at + total)
	} else {
		x.stop("The total length of %d can't be: %d octets are here.", total, len(b))
	}
	x.readIPv4Payload(at+n, b, total >= n && total <= len(b))
}

func (x *explainer) ipv4First(at int, b []byte, n, total int) {
	x.field(at, 1, "version", fmt.Sprintf("%s  %d", bitsOf(uint16(b[0]), 0xf0, 8), b[0]>>4), "4: IPv4")
	x.group("version, length")
	x.field(at, 1, "header length", fmt.Sprintf("%s  %d", bitsOf(uint16(b[0]), 0x0f, 8), b[0]&15), fmt.Sprintf("in words of 4 octets: %d octets, of 20 to 60", n))
	x.field(at+1, 1, "DSCP", fmt.Sprintf("%s  %d", bitsOf(uint16(b[1]), 0xfc, 8), b[1]>>2), "what service the packet asks for; 0 is the usual (RFC 2474, 3)")
	x.group("DSCP, ECN")
	x.field(at+1, 1, "ECN", fmt.Sprintf("%s  %d", bitsOf(uint16(b[1]), 0x03, 8), b[1]&3), ecnMeaning(b[1]&3))
	x.field(at+2, 2, "total length", fmt.Sprint(total), "octets of header and data; at most 65535")
}

func ecnMeaning(ecn byte) string {
	return [...]string{
		"routers can't mark the packet when they are congested", "the packet may be marked (ECT(1))",
		"the packet may be marked (ECT(0))", "marked: a router is congested",
	}[ecn] + " (RFC 3168, 5)"
}

func (x *explainer) ipv4Second(at int, b []byte, n int) {
	flags := binary.BigEndian.Uint16(b[6:])
	offset := int(flags&0x1fff) * 8
	x.field(at+4, 2, "identification", number(uint64(binary.BigEndian.Uint16(b[4:])), 2), "the fragments of one packet have the same")
	x.field(at+6, 1, "reserved", bitsOf(flags>>8, 0x80, 8), "must be zero")
	x.group("flags, offset")
	x.field(at+6, 1, "don't fragment (DF)", bitsOf(flags>>8, 0x40, 8), choose(flags&0x4000 != 0, "set: the packet may not be cut", "not set: the packet may be cut on its way"))
	x.field(at+6, 1, "more fragments (MF)", bitsOf(flags>>8, 0x20, 8), choose(flags&0x2000 != 0, "set: more pieces follow this one", "not set: this is the last piece, or the only one"))
	x.field(at+6, 2, "fragment offset", fmt.Sprint(flags&0x1fff), fmt.Sprintf("in units of 8: the data begins at octet %d of the packet's", offset))
	x.field(at+8, 1, "time to live", fmt.Sprint(b[8]), "each router takes one off; at 0 the packet dies")
	x.field(at+9, 1, "protocol", fmt.Sprint(b[9]), fmt.Sprintf("%v: what the data is", wire.Protocol(b[9])))
	sum := binary.BigEndian.Uint16(b[10:])
	x.field(at+10, 2, "header checksum", fmt.Sprintf("0x%04x", sum), verdict(sum, wire.Checksum(b[:n]) == 0, expected(b[:n], 10, 0), "the header"))
	x.src, x.dst = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	x.field(at+12, 4, "source", x.src.String(), x.addrMeaning(x.src))
	x.field(at+16, 4, "destination", x.dst.String(), x.addrMeaning(x.dst))
}

func choose(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

// expected returns what the checksum at an offset of b should be, where start
// is the sum of what else it covers.
func expected(b []byte, at int, start wire.Sum) uint16 {
	c := append([]byte(nil), b...)
	c[at], c[at+1] = 0, 0
	return start.Add(c).Fold()
}

// verdict says whether a checksum is right.
func verdict(_ uint16, ok bool, want uint16, over string) string {
	if ok {
		return "right: over " + over
	}
	return fmt.Sprintf("wrong: over %s it should be 0x%04x", over, want)
}

// addrMeaning says what is known of an address.
func (x *explainer) addrMeaning(addr netip.Addr) string {
	var known []string
	if name := x.o.Names[addr]; name != "" {
		known = append(known, clean(name))
	}
	switch {
	case addr.IsUnspecified():
		known = append(known, "nobody yet")
	case addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		known = append(known, "everybody on the link")
	case addr.IsLoopback():
		known = append(known, "the machine itself")
	case addr.IsMulticast() && groupName(addr) != "":
		known = append(known, groupName(addr))
	case addr.IsMulticast():
		known = append(known, "a group of machines")
	case addr.IsLinkLocalUnicast() && addr.Is6():
		known = append(known, "of this link only (RFC 4291, 2.5.6)")
	case addr.IsPrivate() && addr.Is6():
		known = append(known, "within a site (RFC 4193, 3)")
	case addr.IsPrivate():
		known = append(known, "private (RFC 1918, 3)")
	case addr.IsLinkLocalUnicast():
		known = append(known, "of this link only (RFC 3927, 1)")
	}
	return strings.Join(known, "; ")
}

// ipv4Options explains the options of a header.
func (x *explainer) ipv4Options(at int, b []byte) {
	for len(b) > 0 {
		kind := wire.IPv4OptionType(b[0])
		if kind == wire.OptionEnd {
			x.field(at, len(b), "option 0", "end of options", "")
			return
		}
		option, rest, ok := wire.NextIPv4Option(b)
		if !ok {
			x.field(at, len(b), fmt.Sprintf("option %d", kind), "a length that can't be", "the rest of the options can't be read")
			return
		}
		x.field(at, len(option), fmt.Sprintf("option %d", kind), kind.String(), ipv4OptionMeaning(kind, option))
		at += len(option)
		b = rest
	}
}

func ipv4OptionMeaning(kind wire.IPv4OptionType, option []byte) string {
	switch kind {
	case wire.OptionNop:
		return "fills a place"
	case wire.OptionRecordRoute, wire.OptionLooseRoute, wire.OptionStrictRoute:
		if len(option) < 3 {
			return "too short"
		}
		var hops []string
		for b := option[3:]; len(b) >= 4; b = b[4:] {
			hops = append(hops, netip.AddrFrom4([4]byte(b[:4])).String())
		}
		return fmt.Sprintf("the next place is octet %d; %s", option[2], strings.Join(hops, ", "))
	case wire.OptionRouterAlert:
		return "every router looks at the packet (RFC 2113, 2.1)"
	}
	return fmt.Sprintf("% x", option[min(2, len(option)):])
}

// readIPv4Payload explains what an IPv4 packet carries. whole says that all of
// it is there.
func (x *explainer) readIPv4Payload(at int, b []byte, whole bool) {
	flags := binary.BigEndian.Uint16(b[6:])
	offset, more := int(flags&0x1fff)*8, flags&0x2000 != 0
	payload := x.frame[at:x.end]
	if offset > 0 {
		problem := &x.parts[len(x.parts)-1].problem
		*problem = fmt.Sprintf("This is a later piece of a packet that was cut: the %v header is in the first piece.", wire.Protocol(b[9]))
		x.readData(network, at)
		return
	}
	checked := whole && !more
	switch wire.Protocol(b[9]) {
	case wire.ProtocolTCP:
		x.readTCP(at, payload, checked)
	case wire.ProtocolUDP:
		x.readUDP(at, payload, checked)
	case wire.ProtocolICMP:
		x.readICMP(at, payload, checked)
	default:
		x.readData(transport, at)
	}
}

// readICMP explains an ICMP message (RFC 792).
func (x *explainer) readICMP(at int, b []byte, checked bool) {
	x.begin(network, "ICMP message", at, min(len(b), wire.ICMPv4HeaderLen))
	x.dolls = append(x.dolls, doll{title: "ICMP message", head: min(len(b), wire.ICMPv4HeaderLen), n: len(b)})
	if x.short(b, wire.ICMPv4HeaderLen, "an ICMP message") {
		return
	}
	m := wire.ICMPv4{Type: wire.ICMPv4Type(b[0]), Code: b[1], Rest: [4]byte(b[4:8])}
	x.field(at, 1, "type", fmt.Sprint(b[0]), m.Type.String())
	x.field(at+1, 1, "code", fmt.Sprint(b[1]), m.Text())
	x.checksum(at+2, b, 2, 0, checked, "the whole message")
	switch m.Type {
	case wire.Echo, wire.EchoReply:
		x.field(at+4, 2, "identifier", number(uint64(m.ID()), 2), "which program asks")
		x.field(at+6, 2, "sequence number", fmt.Sprint(m.Seq()), "which of its questions this is")
	case wire.Redirect:
		x.field(at+4, 4, "gateway", m.Gateway().String(), "the router to use instead")
	case wire.DestinationUnreachable:
		x.field(at+4, 2, "unused", fmt.Sprintf("0x%02x%02x", b[4], b[5]), "")
		x.field(at+6, 2, "next hop's MTU", fmt.Sprint(m.MTU()), "only where fragmentation is needed (RFC 1191, 4)")
	default:
		x.field(at+4, 4, "rest of the header", fmt.Sprintf("0x%x", b[4:8]), "")
	}
	if m.IsError() {
		x.readQuote(at+wire.ICMPv4HeaderLen, b[wire.ICMPv4HeaderLen:])
		return
	}
	x.readData(application, at+wire.ICMPv4HeaderLen)
}

// readQuote shows the packet that an ICMP error tells of.
func (x *explainer) readQuote(at int, b []byte) {
	q := DecodePacket(b)
	text := q.Summary()
	if q.Has&layerIP != 0 && q.Has&(LayerTCP|LayerUDP|LayerICMP|LayerICMPv6) != 0 {
		text = fmt.Sprintf("%v -> %v, %s", q.IP.Src, q.IP.Dst, text)
	} else if q.Has&layerIP != 0 && len(q.Payload) >= 8 && q.IP.FragOffset == 0 {
		src, dst := binary.BigEndian.Uint16(q.Payload), binary.BigEndian.Uint16(q.Payload[2:])
		text = fmt.Sprintf("%v %v:%d -> %v:%d", q.IP.Protocol, q.IP.Src, src, q.IP.Dst, dst)
	}
	x.begin(network, "quoted packet", at, len(b))
	x.field(at, len(b), "quoted packet", counted(len(b), "octet"), "the beginning of the packet that this message is about: "+text)
	x.dolls = append(x.dolls, doll{title: "quoted packet", n: len(b), text: counted(len(b), "octet")})
}

// checksum explains a checksum at an offset of b, if b is all that it covers.
func (x *explainer) checksum(at int, b []byte, offset int, start wire.Sum, checked bool, over string) {
	sum := binary.BigEndian.Uint16(b[offset:])
	meaning := "can't be checked: it is over " + over + ", and not all of that is here"
	if checked {
		meaning = verdict(sum, start.Add(b).Fold() == 0, expected(b, offset, start), over)
	}
	x.field(at, 2, "checksum", fmt.Sprintf("0x%04x", sum), meaning)
}
