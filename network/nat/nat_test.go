package nat

import (
	"net/netip"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

func inside(protocol wire.Protocol, ends string) Inside {
	return Inside{protocol, netip.MustParseAddrPort(ends)}
}

func free(uint16) bool { return false }

// small gives out ports 5000 to 5002.
func small() *Table {
	c := DefaultConfig()
	c.First, c.Last = 5000, 5002
	return New(c)
}

func (t *Table) gives(tb testing.TB, now clock.Time, who Inside, want uint16) {
	tb.Helper()
	if port, ok := t.Out(now, who, 0, free); !ok || port != want {
		tb.Errorf("%v has port %d, %v, want %d", who, port, ok, want)
	}
}

// RFC 4787, 4.2.1: the port is the sender's own if that can be, and otherwise one
// that is free; each protocol has its own ports.
func TestPorts(t *testing.T) {
	x := small()
	x.gives(t, 0, inside(wire.ProtocolUDP, "10.0.0.1:5001"), 5001)
	x.gives(t, 0, inside(wire.ProtocolUDP, "10.0.0.2:5001"), 5000)
	x.gives(t, 0, inside(wire.ProtocolUDP, "10.0.0.1:99"), 5002)
	x.gives(t, 0, inside(wire.ProtocolUDP, "10.0.0.1:5001"), 5001)
	if _, ok := x.Out(0, inside(wire.ProtocolUDP, "10.0.0.1:100"), 0, free); ok {
		t.Error("there is a fourth port")
	}
	x.gives(t, 0, inside(wire.ProtocolTCP, "10.0.0.2:5001"), 5001)
	if port, ok := x.Out(0, inside(wire.ProtocolTCP, "10.0.0.3:5000"), 0, func(p uint16) bool { return p == 5000 }); !ok || port != 5002 {
		t.Errorf("a port that the router uses: %d, %v", port, ok)
	}
	if who, ok := x.In(0, wire.ProtocolUDP, 5000, 0); !ok || who.String() != "10.0.0.2:5001" {
		t.Errorf("port 5000 is %v's, %v", who, ok)
	}
	if _, ok := x.In(0, wire.ProtocolICMP, 5000, 0); ok {
		t.Error("a ping's identifier is none of a datagram's ports")
	}
}

// How long a mapping lasts: "2 hours 4 minutes", "4 minutes" (RFC 5382, 5), 5 minutes
// (RFC 4787, 4.3), 60 s (RFC 5508, 3.2), from the last packet outward.
func TestTimes(t *testing.T) {
	const port = 5000
	for _, test := range []struct {
		name     string
		protocol wire.Protocol
		flags    []wire.TCPFlags // outward, then inward, and so on
		want     time.Duration
	}{
		{"pings", wire.ProtocolICMP, []wire.TCPFlags{0, 0}, time.Minute},
		{"datagrams", wire.ProtocolUDP, []wire.TCPFlags{0, 0}, 5 * time.Minute},
		{"a SYN without an answer", wire.ProtocolTCP, []wire.TCPFlags{wire.SYN}, 4 * time.Minute},
		{"a connection", wire.ProtocolTCP, []wire.TCPFlags{wire.SYN, wire.SYN | wire.ACK, wire.ACK}, 124 * time.Minute},
		{"half closed by us", wire.ProtocolTCP, []wire.TCPFlags{wire.SYN, wire.SYN | wire.ACK, wire.FIN | wire.ACK, wire.ACK, wire.ACK}, 124 * time.Minute},
		{"half closed by the peer", wire.ProtocolTCP, []wire.TCPFlags{wire.SYN, wire.SYN | wire.ACK, wire.ACK, wire.FIN | wire.ACK, wire.ACK}, 124 * time.Minute},
		{"closed", wire.ProtocolTCP, []wire.TCPFlags{wire.SYN, wire.SYN | wire.ACK, wire.FIN | wire.ACK, wire.FIN | wire.ACK, wire.ACK}, 4 * time.Minute},
		{"opened again", wire.ProtocolTCP, []wire.TCPFlags{wire.SYN, wire.ACK, wire.FIN, wire.FIN, wire.SYN, wire.SYN | wire.ACK, wire.ACK}, 124 * time.Minute},
		{"reset by us", wire.ProtocolTCP, []wire.TCPFlags{wire.SYN, wire.SYN | wire.ACK, wire.RST}, 4 * time.Minute},
		{"reset by the peer", wire.ProtocolTCP, []wire.TCPFlags{wire.SYN, wire.SYN | wire.ACK, wire.ACK, wire.RST}, 4 * time.Minute},
	} {
		x, who := small(), inside(test.protocol, "10.0.0.1:5000")
		for i, flags := range test.flags {
			if i%2 == 0 {
				x.Out(0, who, flags, free)
			} else if _, ok := x.In(0, test.protocol, port, flags); !ok {
				t.Fatal(test.name)
			}
		}
		last := clock.Time(test.want) - 1
		if _, ok := x.Find(last, who); !ok {
			t.Errorf("%s: the mapping is gone after %v", test.name, test.want-1)
		}
		if got, ok := x.Who(last, test.protocol, port); !ok || got != who.Ends {
			t.Errorf("%s: port %d is %v's, %v", test.name, port, got, ok)
		}
		if _, ok := x.Who(last+1, test.protocol, port); ok {
			t.Errorf("%s: the mapping is there after %v", test.name, test.want)
		}
		if x.Len() != 0 {
			t.Errorf("%s: %d mappings", test.name, x.Len())
		}
	}
}

// "The NAT mapping Refresh Direction": packets from outside keep nothing alive
// (RFC 4787, 4.3).
func TestWhoIsOutsideKeepsNothingAlive(t *testing.T) {
	x, who := small(), inside(wire.ProtocolUDP, "10.0.0.1:5000")
	x.gives(t, 0, who, 5000)
	x.In(clock.Time(4*time.Minute), wire.ProtocolUDP, 5000, 0)
	if _, ok := x.In(clock.Time(5*time.Minute), wire.ProtocolUDP, 5000, 0); ok {
		t.Error("it is still there")
	}
	x.gives(t, clock.Time(5*time.Minute), who, 5000)
	x.gives(t, clock.Time(9*time.Minute), who, 5000)
	if _, ok := x.In(clock.Time(13*time.Minute), wire.ProtocolUDP, 5000, 0); !ok {
		t.Error("a packet outward keeps nothing alive")
	}
}

// Whoever is inside can fill the table, and not more: those that have expired give way.
func TestTheTableIsBounded(t *testing.T) {
	c := DefaultConfig()
	c.Most = 100
	x, now := New(c), clock.Time(0)
	fill := func() (n int) {
		for port := range uint16(1000) {
			who := Inside{wire.ProtocolUDP, netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), 2000+port)}
			if _, ok := x.Out(now, who, 0, free); ok {
				n++
			}
		}
		return n
	}
	if n := fill(); n != 100 || x.Len() != 100 || len(x.byPort) != 100 {
		t.Errorf("%d mappings, %d, %d, want 100", n, x.Len(), len(x.byPort))
	}
	now = clock.Time(c.Datagrams)
	if n := fill(); n != 100 || x.Len() != 100 || len(x.byPort) != 100 {
		t.Errorf("later: %d mappings, %d, %d, want 100", n, x.Len(), len(x.byPort))
	}
}
