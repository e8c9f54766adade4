package capture

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"hubbub/wire"
)

// A FilterError says what is wrong with a filter's expression, and where.
type FilterError struct {
	Expression string
	Column     int // of the first character that is wrong, counted from 1
	Problem    string
}

// Error returns a sentence with the column.
func (e *FilterError) Error() string {
	return fmt.Sprintf("filter %q, column %d: %s", e.Expression, e.Column, e.Problem)
}

// maxFilterDepth bounds how deep parentheses and "not" may be nested.
const maxFilterDepth = 100

// ParseFilter makes a filter of an expression, a small part of what pcap-filter
// understands:
//
//	[src|dst] host NAME|ADDRESS   what a machine sends or receives
//	[src|dst] net PREFIX          such as 172.16.10.0/24
//	[src|dst] port NUMBER         of TCP or UDP; "tcp port 80" means both
//	[src|dst] ether MAC           an Ethernet address
//	tcp udp icmp arp ip           frames with that header
//	syn fin rst psh ack urg       segments with that flag
//	broadcast fragment            frames to everybody; pieces of packets
//
// They are joined by "and" (or nothing), "or" and "not", which bind in the
// usual order, and parentheses. names tells the addresses of the hosts' names.
// The empty expression chooses everything. An error is a [*FilterError].
func ParseFilter(expression string, names map[netip.Addr]string) (*Filter, error) {
	p := &filterParser{text: expression, names: names}
	p.next()
	if p.word == "" {
		return nil, nil
	}
	root := p.or(0)
	if p.err == nil && p.word != "" {
		p.fail("%q is one too many: nothing is open here", p.word)
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Filter{text: expression, root: root}, nil
}

type filterParser struct {
	text  string
	names map[netip.Addr]string
	pos   int    // behind the word
	at    int    // where the word begins
	word  string // empty at the end
	err   error
}

// fail notes the first problem, at the present word.
func (p *filterParser) fail(format string, args ...any) condition {
	if p.err == nil {
		p.err = &FilterError{p.text, p.at + 1, fmt.Sprintf(format, args...)}
	}
	p.word, p.pos = "", len(p.text)
	return nil
}

// next goes on to the next word: a parenthesis, or what is between blanks.
func (p *filterParser) next() {
	for p.pos < len(p.text) && isBlank(p.text[p.pos]) {
		p.pos++
	}
	p.at = p.pos
	for p.pos < len(p.text) && !isBlank(p.text[p.pos]) {
		if c := p.text[p.pos]; c == '(' || c == ')' || c == '!' {
			if p.pos == p.at {
				p.pos++
			}
			break
		}
		p.pos++
	}
	p.word = p.text[p.at:p.pos]
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (p *filterParser) or(depth int) condition {
	c := p.and(depth)
	for p.word == "or" || p.word == "||" {
		p.next()
		c = either(c, p.and(depth))
	}
	return c
}

func (p *filterParser) and(depth int) condition {
	c := p.not(depth)
	for p.err == nil && p.word != "" && p.word != "or" && p.word != "||" && p.word != ")" {
		if p.word == "and" || p.word == "&&" {
			p.next()
		}
		c = both(c, p.not(depth))
	}
	return c
}

func (p *filterParser) not(depth int) condition {
	if depth > maxFilterDepth {
		return p.fail("the expression is nested more than %d deep", maxFilterDepth)
	}
	switch p.word {
	case "not", "!":
		p.next()
		return negated(p.not(depth + 1))
	case "(":
		p.next()
		c := p.or(depth + 1)
		if p.err == nil && p.word != ")" {
			return p.fail("a closing parenthesis is missing")
		}
		p.next()
		return c
	}
	return p.primitive()
}

var simpleConditions = map[string]condition{
	"tcp": has(LayerTCP), "udp": has(LayerUDP), "icmp": has(LayerICMP), "arp": has(LayerARP), "ip": has(LayerIPv4),
	"ip6": has(LayerIPv6), "icmp6": has(LayerICMPv6),
	"syn": hasFlag(wire.SYN), "fin": hasFlag(wire.FIN), "rst": hasFlag(wire.RST),
	"psh": hasFlag(wire.PSH), "ack": hasFlag(wire.ACK), "urg": hasFlag(wire.URG),
	"broadcast": isBroadcast, "fragment": isFragment,
}

func (p *filterParser) primitive() condition {
	if c, ok := simpleConditions[p.word]; ok {
		p.next()
		return c
	}
	d := eitherSide
	switch p.word {
	case "src":
		d = sourceSide
		p.next()
	case "dst":
		d = destinationSide
		p.next()
	}
	kind := p.word
	switch kind {
	case "host", "net", "port", "ether":
		p.next()
		if p.word == "" {
			return p.fail("after %q something is missing", kind)
		}
		return p.argument(d, kind)
	case "":
		return p.fail("something is missing at the end")
	}
	if d != eitherSide {
		return p.fail("after src and dst comes host, net, port or ether, not %q", kind)
	}
	return p.fail("%q is no condition: write one such as host nick, net 172.16.10.0/24, port 80, tcp, udp, icmp, arp or syn", kind)
}

func (p *filterParser) argument(d side, kind string) (c condition) {
	switch kind {
	case "host":
		c = p.host(d)
	case "net":
		prefix, err := netip.ParsePrefix(p.word)
		if err != nil {
			return p.fail("%q is not a subnet: write one such as 172.16.10.0/24", p.word)
		}
		c = netIs(d, prefix)
	case "port":
		port, err := strconv.ParseUint(p.word, 10, 16)
		if err != nil || port == 0 {
			return p.fail("%q is not a port: ports are numbers from 1 to 65535", p.word)
		}
		c = portIs(d, uint16(port))
	case "ether":
		mac, err := wire.ParseMAC(p.word)
		if err != nil {
			return p.fail("%v", err)
		}
		c = macIs(d, mac)
	}
	if p.err == nil {
		p.next()
	}
	return c
}

func (p *filterParser) host(d side) condition {
	if addr, err := netip.ParseAddr(p.word); err == nil {
		return hostIs(d, p.names[addr], []netip.Addr{addr})
	}
	var addrs []netip.Addr
	var known []string
	for addr, name := range p.names {
		if name == p.word {
			addrs = append(addrs, addr)
		}
		known = append(known, name)
	}
	if addrs == nil {
		slices.Sort(known)
		return p.fail("no host is called %q%s", p.word, knownNames(slices.Compact(known)))
	}
	return hostIs(d, p.word, addrs)
}

// knownNames lists the names that would have been right.
func knownNames(names []string) string {
	if len(names) == 0 {
		return ": write an address"
	}
	if len(names) > 8 {
		names = append(names[:8:8], "...")
	}
	return "; there are " + strings.Join(names, ", ")
}
