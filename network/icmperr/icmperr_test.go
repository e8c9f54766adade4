package icmperr

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

const s = clock.Time(time.Second)

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func header(src, dst string, p wire.Protocol) *wire.IPv4 {
	return &wire.IPv4{Protocol: p, Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst)}
}

// RFC 1122, 3.2.2 (R1122-19): "An ICMP error message MUST NOT be sent as the result of
// receiving: an ICMP error message, or a datagram destined to an IP broadcast
// or IP multicast address, or a datagram sent as a link-layer broadcast, or a
// non-initial fragment, or a datagram whose source address does not define a
// single host -- e.g., a zero address, a loopback address, a broadcast
// address, a multicast address, or a Class E address."
func TestWhatMayBeAnsweredWithAnError(t *testing.T) {
	const a, b = "10.0.0.1", "10.0.0.2"
	later := header(a, b, wire.ProtocolUDP)
	later.FragOffset = 8
	first := header(a, b, wire.ProtocolUDP)
	first.MF = true
	for _, x := range []struct {
		name string
		p    Packet
		why  string
	}{
		{"a UDP datagram", Packet{Header: header(a, b, wire.ProtocolUDP)}, ""},
		{"a first fragment", Packet{Header: first}, ""},
		{"a later fragment", Packet{Header: later}, "it is a later fragment"},
		{"an echo request", Packet{Header: header(a, b, wire.ProtocolICMP), ICMPType: 8}, ""},
		{"unreachable", Packet{Header: header(a, b, wire.ProtocolICMP), ICMPType: 3}, "it is an ICMP error message itself"},
		{"time exceeded", Packet{Header: header(a, b, wire.ProtocolICMP), ICMPType: 11}, "it is an ICMP error message itself"},
		{"an unknown type", Packet{Header: header(a, b, wire.ProtocolICMP), ICMPType: 200}, "it is an ICMP error message itself"},
		{"to everybody", Packet{Header: header(a, "255.255.255.255", wire.ProtocolUDP)}, "it was sent to an IP broadcast address"},
		{"to a subnet", Packet{Header: header(a, "10.0.0.255", wire.ProtocolUDP), DstBroadcast: true}, "it was sent to an IP broadcast address"},
		{"to a group", Packet{Header: header(a, "224.0.0.1", wire.ProtocolUDP)}, "it was sent to an IP multicast address"},
		{"by link broadcast", Packet{Header: header(a, b, wire.ProtocolUDP), LinkBroadcast: true}, "it came as a broadcast of the link"},
		{"from zero", Packet{Header: header("0.0.0.0", b, wire.ProtocolUDP)}, badSource},
		{"from net zero", Packet{Header: header("0.1.2.3", b, wire.ProtocolUDP)}, badSource},
		{"from loopback", Packet{Header: header("127.0.0.1", b, wire.ProtocolUDP)}, badSource},
		{"from loopback, inside", Packet{Header: header("127.0.0.1", "127.0.0.1", wire.ProtocolUDP), Loopback: true}, ""},
		{"from a group", Packet{Header: header("224.0.0.1", b, wire.ProtocolUDP)}, badSource},
		{"from class E", Packet{Header: header("240.0.0.1", b, wire.ProtocolUDP)}, badSource},
		{"from everybody", Packet{Header: header("255.255.255.255", b, wire.ProtocolUDP)}, badSource},
		{"from a subnet", Packet{Header: header("10.0.0.255", b, wire.ProtocolUDP), SrcBroadcast: true}, badSource},
		{"from nobody", Packet{Header: &wire.IPv4{Dst: netip.MustParseAddr(b)}}, badSource},
	} {
		ok, why := MayAnswer(x.p)
		want(t, x.name, why, x.why)
		want(t, x.name, ok, x.why == "")
	}
}

const badSource = "its source address does not define a single host"

func TestEveryTypeOfQueryMayBeAnswered(t *testing.T) {
	var queries []int
	for icmpType := range 256 {
		p := Packet{Header: header("10.0.0.1", "10.0.0.2", wire.ProtocolICMP), ICMPType: uint8(icmpType)}
		if ok, _ := MayAnswer(p); ok {
			queries = append(queries, icmpType)
		}
	}
	want(t, "queries", queries, []int{0, 8, 9, 10, 13, 14, 15, 16, 17, 18})
}

// RFC 1812, 4.3.2.3 (R1122-18): "the ICMP datagram SHOULD contain as much of the original
// datagram as possible without the length of the ICMP datagram exceeding 576
// bytes."
func TestAsMuchIsQuotedAsFits(t *testing.T) {
	want(t, "a long packet", QuoteLen(20, 1480, 0), 576-28)
	want(t, "to be answered with options", QuoteLen(20, 1480, 12), 576-28-12)
	want(t, "a short packet", QuoteLen(24, 10, 0), 34)
	want(t, "one that just fits", QuoteLen(20, 528, 0), 548)
}

// count returns how many of n messages are allowed at once.
func count(l *Limiter, now clock.Time, n int, dst func(i int) netip.Addr) (allowed int, why string) {
	for i := range n {
		ok, w := l.Allow(now, dst(i))
		if ok {
			allowed++
		} else {
			why = w
		}
	}
	return allowed, why
}

func host(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
func one(int) netip.Addr    { return host(0) }

// RFC 1812, 4.3.2.8 (R1812-10): "A router SHOULD also be able to limit the rate at which
// it sends other sorts of ICMP error messages (Destination Unreachable,
// Redirect, Time Exceeded, Parameter Problem)."
func TestErrorsToOneHostAreLimited(t *testing.T) {
	l := NewLimiter(nil)
	n, why := count(l, 10*s, 100, one)
	want(t, "at once", n, 6)
	want(t, "why no more", why, "too many ICMP errors are being sent to this host")
	n, _ = count(l, 11*s-1, 100, one)
	want(t, "less than a second later", n, 0)
	n, _ = count(l, 11*s, 100, one)
	want(t, "a second later", n, 1)
	n, _ = count(l, 13*s+s/2, 100, one)
	want(t, "two and a half later", n, 2)
	n, _ = count(l, 14*s, 100, one)
	want(t, "and the half is not lost", n, 1)
	n, _ = count(l, 1000*s, 100, one)
	want(t, "after a long time", n, 6)
}

func TestErrorsToAllHostsAreLimited(t *testing.T) {
	l := NewLimiter(nil)
	n, why := count(l, 10*s, 1000, host)
	want(t, "at once", n, 50)
	want(t, "why no more", why, "too many ICMP errors are being sent")
	n, _ = count(l, 10*s+s/100, 1000, host)
	want(t, "10 ms later", n, 10)
	n, _ = count(l, 100*s, 1000, host)
	want(t, "after a long time", n, 50)
}

func TestAHostThatIsRefusedTakesNothingFromTheOthers(t *testing.T) {
	l := NewLimiter(nil)
	count(l, 10*s, 1000, one)
	n, _ := count(l, 10*s, 1000, func(i int) netip.Addr { return host(i + 1) })
	want(t, "left for others", n, 44)
}

func TestTheHostsRememberedAreBounded(t *testing.T) {
	l := NewLimiter(&LimiterConfig{Rate: 1e9, Burst: 1e6, Dests: 10})
	count(l, 10*s, 5000, host)
	want(t, "hosts", len(l.dests), 10)
	n, _ := count(l, 10*s, 10, func(int) netip.Addr { return host(4999) })
	want(t, "the latest is remembered", n, 5)
}

func TestTheLimiterAllocatesNothingForAKnownHost(t *testing.T) {
	l := NewLimiter(nil)
	l.Allow(1*s, host(0))
	if n := testing.AllocsPerRun(100, func() { l.Allow(2*s, host(0)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
