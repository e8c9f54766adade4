package capture

import (
	"encoding/binary"
	"fmt"

	"hubbub/wire"
)

// services are the well-known ports that the textbooks name.
var services = map[uint16]string{
	7: "echo", 20: "FTP data", 21: "FTP", 22: "SSH", 23: "TELNET", 25: "SMTP", 53: "DNS", 67: "DHCP server",
	68: "DHCP client", 69: "TFTP", 80: "HTTP", 110: "POP3", 123: "NTP", 143: "IMAP", 161: "SNMP", 443: "HTTPS",
	2049: "NFS", 3306: "MySQL", 8080: "HTTP, by custom",
}

func portMeaning(port uint16) string {
	switch name := services[port]; {
	case name != "":
		return name
	case port < 1024:
		return "a port of the system's (0-1023)"
	}
	return "the port of a program"
}

const pseudoHeader = "the addresses, header and data"

// readUDP explains a datagram (RFC 768).
func (x *explainer) readUDP(at int, b []byte, checked bool) {
	x.begin(transport, "UDP header", at, min(len(b), wire.UDPHeaderLen))
	x.dolls = append(x.dolls, doll{title: "UDP datagram", head: min(len(b), wire.UDPHeaderLen), n: len(b)})
	if x.short(b, wire.UDPHeaderLen, "a UDP header") {
		return
	}
	src, dst, length := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), int(binary.BigEndian.Uint16(b[4:]))
	x.field(at, 2, "source port", fmt.Sprint(src), portMeaning(src))
	x.field(at+2, 2, "destination port", fmt.Sprint(dst), portMeaning(dst))
	x.field(at+4, 2, "length", fmt.Sprint(length), "octets of header and data")
	fits := length >= wire.UDPHeaderLen && length <= len(b)
	switch {
	case binary.BigEndian.Uint16(b[6:]) == 0:
		x.field(at+6, 2, "checksum", "0x0000", "none: the sender computed none (RFC 768)")
	case fits:
		x.checksum(at+6, b[:length], 6, wire.PseudoHeader(x.src, x.dst, wire.ProtocolUDP, length), checked, pseudoHeader)
	default:
		x.checksum(at+6, b, 6, 0, false, pseudoHeader)
	}
	if !fits && checked {
		x.stop("A length of %d can't be: %d octets are here.", length, len(b))
	}
	x.readData(application, at+wire.UDPHeaderLen)
}

// readTCP explains a segment (RFC 9293, 3.1).
func (x *explainer) readTCP(at int, b []byte, checked bool) {
	x.begin(transport, "TCP header", at, min(len(b), wire.TCPHeaderLen))
	x.dolls = append(x.dolls, doll{title: "TCP segment", head: min(len(b), wire.TCPHeaderLen), n: len(b)})
	if x.short(b, wire.TCPHeaderLen, "a TCP header") {
		return
	}
	src, dst, n := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), int(b[12]>>4)*4
	flags := wire.TCPFlags(binary.BigEndian.Uint16(b[12:]) & 0x1ff)
	x.field(at, 2, "source port", fmt.Sprint(src), portMeaning(src))
	x.field(at+2, 2, "destination port", fmt.Sprint(dst), portMeaning(dst))
	x.field(at+4, 4, "sequence number", fmt.Sprint(binary.BigEndian.Uint32(b[4:])), choose(flags.Has(wire.SYN), "the number that the sender begins with", "the number of the first octet of data here"))
	x.field(at+8, 4, "acknowledgment number", fmt.Sprint(binary.BigEndian.Uint32(b[8:])), choose(flags.Has(wire.ACK), "the number of the octet that the sender expects next", "means nothing: the ACK flag is not set"))
	x.field(at+12, 1, "data offset", fmt.Sprintf("%s  %d", bitsOf(uint16(b[12]), 0xf0, 8), n/4), fmt.Sprintf("the header's length in words of 4 octets: %d octets, of 20 to 60", n))
	x.group("data offset")
	x.field(at+12, 1, "reserved", bitsOf(uint16(b[12]), 0x0e, 8), "zero")
	x.tcpFlags(at, b)
	x.field(at+14, 2, "window", fmt.Sprint(binary.BigEndian.Uint16(b[14:])), windowMeaning(flags))
	x.checksum(at+16, b, 16, wire.PseudoHeader(x.src, x.dst, wire.ProtocolTCP, len(b)), checked, pseudoHeader)
	x.field(at+18, 2, "urgent pointer", fmt.Sprint(binary.BigEndian.Uint16(b[18:])), choose(flags.Has(wire.URG), "how far the urgent data reaches", "means nothing: the URG flag is not set"))
	if n < wire.TCPHeaderLen || n > len(b) {
		x.stop("A header of %d octets can't be: it has at least 20, and %d are here.", n, len(b))
		return
	}
	x.dolls[len(x.dolls)-1].head = n
	x.parts[len(x.parts)-1].n = n
	x.tcpOptions(at+wire.TCPHeaderLen, b[wire.TCPHeaderLen:n])
	x.readData(application, at+n)
}

func windowMeaning(flags wire.TCPFlags) string {
	if flags.Has(wire.SYN) {
		return "how many octets the sender can take (never scaled in a SYN)"
	}
	return "how many octets the sender can take, times 2 to the scale told in its SYN"
}

var flagMeanings = [...]string{
	"no more data from the sender", "opens a connection: synchronises the sequence numbers",
	"ends the connection at once", "the data is to be handed to the program without delay",
	"the acknowledgment number counts", "the urgent pointer counts", "tells of congestion (RFC 3168, 6.1)",
	"the sender's window was reduced (RFC 3168, 6.1)", "more exact ECN (RFC 9768, 3)",
}

func (x *explainer) tcpFlags(at int, b []byte) {
	word := binary.BigEndian.Uint16(b[12:])
	for i := len(flagMeanings) - 1; i >= 0; i-- {
		bit := uint16(1) << i
		set := word&bit != 0
		from, n, pattern := at+13, 1, bitsOf(word, bit, 8)
		if i == 8 {
			from, pattern = at+12, bitsOf(word>>8, 1, 8)
		}
		x.field(from, n, "flag "+wire.TCPFlags(bit).String(), pattern, choose(set, "set: "+flagMeanings[i], "not set"))
		if i == 7 {
			x.group("flags")
		}
	}
}

var tcpOptionNames = map[byte]string{
	2: "MSS", 3: "window scale", 4: "SACK permitted", 5: "selective ACK", 8: "timestamps",
	28: "user timeout", 30: "multipath TCP", 34: "fast open",
}

func (x *explainer) tcpOptions(at int, b []byte) {
	for len(b) > 0 {
		switch {
		case b[0] == 0:
			x.field(at, len(b), "option 0", "end of options", "")
			return
		case b[0] == 1:
			x.field(at, 1, "option 1", "no operation", "fills a place")
			at, b = at+1, b[1:]
			continue
		case len(b) < 2 || b[1] < 2 || int(b[1]) > len(b):
			x.field(at, len(b), fmt.Sprintf("option %d", b[0]), "a length that can't be", "the rest of the options can't be read (RFC 9293, 3.1)")
			return
		}
		n := int(b[1])
		name := tcpOptionNames[b[0]]
		if name == "" {
			name = "unknown"
		}
		value, meaning := tcpOption(b[0], b[2:n])
		if value != "" {
			name += " " + value
		}
		x.field(at, n, fmt.Sprintf("option %d", b[0]), name, meaning)
		at, b = at+n, b[n:]
	}
}

func tcpOption(kind byte, b []byte) (value, meaning string) {
	o := wire.ParseTCPOptions(append([]byte{kind, byte(len(b) + 2)}, b...))
	switch {
	case o.MSS != 0:
		return fmt.Sprint(o.MSS), "the sender takes no more octets of data in one segment"
	case o.HasWindowScale:
		return fmt.Sprint(o.WindowScale), fmt.Sprintf("the sender's windows are to be multiplied by %d", 1<<min(o.WindowScale, 14))
	case o.SACKPermitted:
		return "", "the sender understands selective acknowledgments (RFC 2018, 2)"
	case o.Timestamps:
		return "", fmt.Sprintf("the sender's clock shows %d; the last it heard of the peer's was %d (RFC 7323, 3.2)", o.TSVal, o.TSEcr)
	case o.FastOpen && o.Cookie.IsRequest():
		return "", "the sender asks for a cookie, for a later connection that is to carry data in its SYN (RFC 7413, 4.1.1)"
	case o.FastOpen:
		return fmt.Sprintf("% x", o.Cookie.Bytes()), "a cookie: its owner may send data in a SYN (RFC 7413, 4.1.1)"
	case o.NumSACK > 0:
		text := ""
		for _, s := range o.SACK[:o.NumSACK] {
			text += fmt.Sprintf("%d up to %d, ", s.Left, s.Right)
		}
		return "", text + "have arrived too"
	}
	return "", fmt.Sprintf("% x", b)
}
