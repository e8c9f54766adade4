package lab

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"hubbub"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// Frames are certain frames on a cable, such as "the second SYN-ACK from
// feige".
type Frames struct {
	Text  string // as the file has it
	Kind  string // one of the kinds, such as "SYN-ACK"
	First int    // which of that kind is the first, from 1
	Count int    // how many; -1 for all from the first on
	From  string // the machine that sent them; empty for anybody
	To    string // the machine that they are for; empty for anybody
}

// A frameKind is a kind of frames that has a name.
type frameKind struct {
	name    string
	is      string // for the reference
	match   hubbub.Match
	linkish bool // the machines are told by their MAC addresses
}

// The numbers of the protocols' fields that the kinds look at.
const (
	echoReply, echoRequest = 0, 8
	arpRequest, arpReply   = 1, 2
)

var frameKinds = []frameKind{
	{"frame", "anything", hubbub.Match{}, true},
	{"ARP request", "", hubbub.Match{EtherType: wire.EtherTypeARP, Func: arpOperation(arpRequest)}, true},
	{"ARP reply", "", hubbub.Match{EtherType: wire.EtherTypeARP, Func: arpOperation(arpReply)}, true},
	{"packet", "any of IP", hubbub.Match{EtherType: wire.EtherTypeIPv4}, false},
	{"fragment", "a piece of a packet of IP", hubbub.Match{EtherType: wire.EtherTypeIPv4, Func: isFragment}, false},
	{"ping", "an ICMP echo request", hubbub.Match{Protocol: wire.ProtocolICMP, Func: icmpType(echoRequest)}, false},
	{"pong", "an ICMP echo reply", hubbub.Match{Protocol: wire.ProtocolICMP, Func: icmpType(echoReply)}, false},
	{"ICMP message", "", hubbub.Match{Protocol: wire.ProtocolICMP}, false},
	{"datagram", "of UDP", hubbub.Match{Protocol: wire.ProtocolUDP}, false},
	{"segment", "any of TCP", hubbub.Match{Protocol: wire.ProtocolTCP}, false},
	{"SYN-ACK", "", hubbub.Match{Protocol: wire.ProtocolTCP, FlagsSet: wire.SYN | wire.ACK}, false},
	{"SYN", "one without ACK", hubbub.Match{Protocol: wire.ProtocolTCP, FlagsSet: wire.SYN, FlagsClear: wire.ACK}, false},
	{"ACK", "one with nothing else in it", hubbub.Match{
		Protocol: wire.ProtocolTCP, FlagsSet: wire.ACK,
		FlagsClear: wire.SYN | wire.FIN | wire.RST, Func: isEmptySegment,
	}, false},
	{"FIN", "with or without ACK and data", hubbub.Match{Protocol: wire.ProtocolTCP, FlagsSet: wire.FIN}, false},
	{"RST", "", hubbub.Match{Protocol: wire.ProtocolTCP, FlagsSet: wire.RST}, false},
	{"data segment", "a segment of TCP with data", hubbub.Match{Protocol: wire.ProtocolTCP, FlagsSet: wire.ACK, MinPayload: 1}, false},
}

// match returns what selects the frames on a cable of the lab.
func (f *Frames) match(c *Config, macs map[string]wire.MAC) hubbub.Match {
	i := slices.IndexFunc(frameKinds, func(k frameKind) bool { return k.name == f.Kind })
	m := frameKinds[i].match
	if frameKinds[i].linkish {
		m.FromMAC, m.ToMAC = macs[f.From], macs[f.To]
		return m
	}
	m.From, m.To = single(c.address(f.From)), single(c.address(f.To))
	return m
}

// single returns the prefix that one address alone is in.
func single(a netip.Addr) netip.Prefix {
	if !a.IsValid() {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(a, a.BitLen())
}

var ordinals = []string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}

// frames reads a phrase such as "the second SYN-ACK to nick":
//
//	[the | every] [ORDINAL | next] [COUNT] KIND [from MACHINE] [to MACHINE]
func (r *reader) frames(n *node, text string) (Frames, bool) {
	f := Frames{Text: text, First: 1, Count: 1}
	words := splitWords(text)
	at := func(i int) Position { return n.within(words[min(i, len(words)-1)].offset) }
	i := 0
	next := func(wanted ...string) bool {
		if i < len(words) && slices.Contains(wanted, strings.ToLower(words[i].text)) {
			i++
			return true
		}
		return false
	}
	if len(words) == 0 {
		return f, false
	}
	if next("every", "each", "all") {
		f.Count = -1
	} else {
		next("the")
	}
	if next("last") {
		r.problem(at(i-1), "nobody knows in advance which is the last: say which it is by number, such as the second, or set the trap just before it, for the next")
		return f, false
	}
	if i < len(words) && ordinal(words[i].text) > 0 {
		f.First = ordinal(words[i].text)
		i++
	} else {
		next("next")
	}
	if i < len(words) {
		if count, err := parseCount(words[i].text, 1, 1_000_000); err == nil {
			f.Count = count
			i++
		}
	}
	return f, r.frameKind(&f, words, &i, at) && r.frameEnds(&f, words, i, at)
}

// frameKind reads the kind, in one word or two, in the singular or the plural.
func (r *reader) frameKind(f *Frames, words []word, i *int, at func(int) Position) bool {
	for n := min(2, len(words)-*i); n > 0; n-- {
		var phrase []string
		for _, w := range words[*i : *i+n] {
			phrase = append(phrase, w.text)
		}
		said := strings.ToLower(strings.Join(phrase, " "))
		for _, k := range frameKinds {
			if name := strings.ToLower(k.name); said == name || said == name+"s" || said == strings.Replace(name, "y", "ies", 1) {
				f.Kind, *i = k.name, *i+n
				return true
			}
		}
	}
	names := make([]string, len(frameKinds))
	for j, k := range frameKinds {
		names[j] = k.name
	}
	if *i >= len(words) {
		r.problem(at(*i), "which frames? say such as the second SYN-ACK, or every ARP request")
		return false
	}
	r.problem(at(*i), "%q is no kind of frames: %s", words[*i].text, didYouMean(words[*i].text, names))
	return false
}

// frameEnds reads who sends the frames, and for whom they are.
func (r *reader) frameEnds(f *Frames, words []word, i int, at func(int) Position) bool {
	for ; i < len(words); i += 2 {
		end := map[string]*string{"from": &f.From, "to": &f.To}[words[i].text]
		if end == nil || *end != "" {
			r.problem(at(i), "%q is not understood: after the kind of frames there may be from and to, such as the second SYN-ACK from feige", words[i].text)
			return false
		}
		if i+1 == len(words) {
			r.problem(at(i), "%s whom? name a machine", words[i].text)
			return false
		}
		if *end = words[i+1].text; !r.config.address(*end).IsValid() {
			r.problem(at(i+1), "there is no machine %q: %s", *end, didYouMean(*end, r.config.nodes()))
			return false
		}
	}
	return true
}

// ordinal returns the number that a word such as "second" or "12th" says, 0 if
// it says none.
func ordinal(s string) int {
	if i := slices.Index(ordinals, strings.ToLower(s)); i >= 0 {
		return i + 1
	}
	if len(s) < 3 || !slices.Contains([]string{"st", "nd", "rd", "th"}, s[len(s)-2:]) {
		return 0
	}
	n, err := strconv.Atoi(s[:len(s)-2])
	if err != nil || n < 1 || n > 1_000_000 {
		return 0
	}
	return n
}

// layer3 returns the bytes of a frame from the network header on.
func layer3(p *pkt.Packet) []byte {
	_, rest, err := wire.ParseEthernet(p.AppendTo(make([]byte, 0, 1600)))
	if err != nil {
		return nil
	}
	return rest
}

func arpOperation(operation uint16) func(*pkt.Packet) bool {
	return func(p *pkt.Packet) bool {
		b := layer3(p)
		return len(b) >= 8 && binary.BigEndian.Uint16(b[6:]) == operation
	}
}

// isFragment reports whether a packet of IP is a piece of a longer one: more
// follow, or it isn't the first.
func isFragment(p *pkt.Packet) bool {
	b := layer3(p)
	return len(b) >= 8 && binary.BigEndian.Uint16(b[6:])&0x3fff != 0
}

func icmpType(kind byte) func(*pkt.Packet) bool {
	return func(p *pkt.Packet) bool {
		b := layer3(p)
		header := ipHeader(b)
		return header > 0 && len(b) > header && b[header] == kind
	}
}

// ipHeader returns the length of an IPv4 header, 0 if there is none.
func ipHeader(b []byte) int {
	if len(b) < wire.IPv4HeaderLen || b[0]>>4 != 4 {
		return 0
	}
	return int(b[0]&15) * 4
}

func isEmptySegment(p *pkt.Packet) bool {
	b := layer3(p)
	header := ipHeader(b)
	if header == 0 || len(b) < header+wire.TCPHeaderLen {
		return false
	}
	return int(binary.BigEndian.Uint16(b[2:])) == header+int(b[header+12]>>4)*4
}

// counted returns a condition that is true for those frames alone, of all that
// fulfil is, whose turn it is.
func counted(is func(*pkt.Packet) bool, first, count int) func(*pkt.Packet) bool {
	seen := 0
	return func(p *pkt.Packet) bool {
		if is != nil && !is(p) {
			return false
		}
		seen++
		return seen >= first && (count < 0 || seen < first+count)
	}
}
