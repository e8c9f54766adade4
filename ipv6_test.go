package hubbub

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hubbub/socket"
	"hubbub/stack"
)

// run runs a program in a virtual network.
func runProgram(t *testing.T, n *Network, program func()) {
	t.Helper()
	n.Go("test", program)
	if err := n.Run(); err != nil {
		t.Fatal(err)
	}
}

// echoes answers every connection with what comes.
func echoes(t *testing.T, h *Host, network, address string) net.Listener {
	t.Helper()
	l, err := h.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	h.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(c, c)
			_ = c.Close()
		}
	})
	return l
}

// asks sends a line over a connection, and returns the two ends and what comes
// back.
func asks(h *Host, network, address string) string {
	c, err := h.Dial(network, address)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	_, _ = io.WriteString(c, "hello")
	_ = c.(*socket.Conn).CloseWrite()
	b, err := io.ReadAll(c)
	return fmt.Sprintf("%v to %v: %s %v", c.LocalAddr().(*net.TCPAddr).IP, c.RemoteAddr(), b, err)
}

func TestAConnectionOverIPv6(t *testing.T) {
	n := New(Virtual())
	defer n.Close()
	room, far := n.LAN("room", "2001:db8:10::/64"), n.LAN("far", "2001:db8:11::/64")
	nick, feige, wang := room.Host("nick"), room.Host("feige", Address("2001:db8:10::fe")), far.Host("wang")
	n.Router("gateway", room, far)
	runProgram(t, n, func() {
		for _, h := range []*Host{feige, wang} {
			defer echoes(t, h, "tcp", ":8080").Close()
		}
		for address, want := range map[string]string{
			"feige:8080":                  "2001:db8:10::2 to [2001:db8:10::fe]:8080: hello <nil>",
			"wang:8080":                   "2001:db8:10::2 to [2001:db8:11::2]:8080: hello <nil>",
			"[2001:db8:11::2]:8080":       "2001:db8:10::2 to [2001:db8:11::2]:8080: hello <nil>",
			"[2001:db8:11::2]:9":          "dial tcp [2001:db8:11::2]:9: connect: connection refused",
			"172.16.10.10:8080":           "dial tcp 172.16.10.10:8080: connect: network is unreachable",
			"[2001:db8:99::2]:8080":       "dial tcp [2001:db8:99::2]:8080: i/o timeout",
			"[fe80::ff:fe00:2]:8080":      "fe80::ff:fe00:1 to [fe80::ff:fe00:2%eth0]:8080: hello <nil>",
			"[fe80::ff:fe00:2%eth0]:8080": "fe80::ff:fe00:1 to [fe80::ff:fe00:2%eth0]:8080: hello <nil>",
		} {
			if strings.HasPrefix(address, "[2001:db8:99") {
				continue // nobody answers: see TestPing
			}
			if got := asks(nick, "tcp", address); got != want {
				t.Errorf("to %s: %s, want %s", address, got, want)
			}
		}
	})
}

// Where a LAN has both families, a name has addresses of both, and who listens
// at all addresses is found by each.
func TestBothFamiliesOnOneLAN(t *testing.T) {
	n := New(Virtual())
	defer n.Close()
	room := n.LAN("room", "172.16.10.0/24, 2001:db8:10::/64")
	nick, feige := room.Host("nick"), room.Host("feige", Address("172.16.10.77"), Address("2001:db8:10::77"))
	old := room.Host("old")
	runProgram(t, n, func() {
		defer echoes(t, feige, "tcp", ":8080").Close()
		defer echoes(t, feige, "tcp4", ":8004").Close()
		defer echoes(t, feige, "tcp6", ":8006").Close()
		defer echoes(t, old, "tcp4", ":8080").Close()
		const four, six = "172.16.10.2 to 172.16.10.77", "2001:db8:10::2 to [2001:db8:10::77]"
		for _, c := range []struct{ network, address, want string }{
			{"tcp", "feige:8080", six + ":8080: hello <nil>"},
			{"tcp6", "feige:8080", six + ":8080: hello <nil>"},
			{"tcp4", "feige:8080", four + ":8080: hello <nil>"},
			{"tcp", "172.16.10.77:8080", four + ":8080: hello <nil>"},
			{"tcp", "feige:8004", four + ":8004: hello <nil>"}, // after IPv6 was refused
			{"tcp6", "feige:8004", "dial tcp6 [2001:db8:10::77]:8004: connect: connection refused"},
			{"tcp", "feige:8006", six + ":8006: hello <nil>"},
			{"tcp4", "feige:8006", "dial tcp4 172.16.10.77:8006: connect: connection refused"},
			{"tcp", "feige:9", "dial tcp [2001:db8:10::77]:9: connect: connection refused"},
			{"tcp6", "172.16.10.77:8080", "dial tcp6: address 172.16.10.77: no suitable address found"},
			{"tcp", "old:8080", "172.16.10.2 to 172.16.10.3:8080: hello <nil>"},
		} {
			if got := asks(nick, c.network, c.address); got != c.want {
				t.Errorf("%s to %s: %s, want %s", c.network, c.address, got, c.want)
			}
		}
	})
}

// RFC 8305, 5: an address that doesn't answer delays the next by no more than a
// quarter of a second.
func TestADeadAddressCostsAQuarterOfASecond(t *testing.T) {
	n := New(Virtual())
	defer n.Close()
	room := n.LAN("room", "172.16.10.0/24, 2001:db8:10::/64")
	nick, feige := room.Host("nick"), room.Host("feige")
	n.AddName("shop", netip.MustParseAddr("2001:db8:10::dead"))
	n.AddName("shop", feige.Addr())
	runProgram(t, n, func() {
		defer echoes(t, feige, "tcp", ":8080").Close()
		start := n.Elapsed()
		if got, want := asks(nick, "tcp", "shop:8080"), "172.16.10.2 to 172.16.10.3:8080: hello <nil>"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if took := n.Elapsed() - start; took != 250*time.Millisecond {
			t.Errorf("it took %v, want 250ms", took)
		}
	})
	for _, s := range nick.Netstat() {
		if s.State == "SYN-SENT" {
			t.Errorf("the other attempt goes on: %+v", s)
		}
	}
}

// A context ends all attempts.
func TestAContextEndsTheRace(t *testing.T) {
	n := New(Virtual())
	defer n.Close()
	room := n.LAN("room", "172.16.10.0/24, 2001:db8:10::/64")
	nick := room.Host("nick")
	n.AddName("shop", netip.MustParseAddr("2001:db8:10::dead"))
	n.AddName("shop", netip.MustParseAddr("172.16.10.99"))
	runProgram(t, n, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := n.Elapsed()
		_, err := nick.DialContext(ctx, "tcp", "shop:8080")
		// The context's clock is the one outside, which went on a little.
		took := n.Elapsed() - start
		if e, ok := err.(net.Error); !ok || !e.Timeout() || took > time.Second || took < time.Second/2 {
			t.Errorf("after %v: %v, want a time-out after a second", took, err)
		}
	})
}

// A host that autoconfigures itself is found by its name as soon as it has an
// address, and finds its way by the routers' advertisements. Chance decides when:
// two addresses are asked for, and a router may wait 3 s before it advertises
// itself again (RFC 4861, 6.2.6).
func TestAGuestConfiguresItself(t *testing.T) {
	n := New(Virtual())
	defer n.Close()
	room, far := n.LAN("room", "2001:db8:10::/64"), n.LAN("far", "2001:db8:11::/64")
	n.Router("gateway", room, far)
	guest, wang := room.Host("guest", Autoconfigure()), far.Host("wang")
	if got := guest.Addr(); got.IsValid() {
		t.Errorf("it has %v at once", got)
	}
	runProgram(t, n, func() {
		_ = n.Sleep(8 * time.Second)
		defer echoes(t, guest, "tcp", ":8080").Close()
		addr := guest.Addr()
		if !netip.MustParsePrefix("2001:db8:10::/64").Contains(addr) {
			t.Errorf("it has %v", addr)
		}
		want := fmt.Sprintf("2001:db8:11::2 to [%v]:8080: hello <nil>", addr)
		if got := asks(wang, "tcp", "guest:8080"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		guest.PowerOff()
		guest.PowerOn()
		_ = n.Sleep(8 * time.Second)
		if guest.Addr() != addr {
			t.Errorf("after it was switched off and on it has %v, not %v", guest.Addr(), addr)
		}
	})
	var states []string
	for _, a := range guest.Addresses() {
		states = append(states, a.State)
	}
	if got := strings.Join(states, " "); got != "preferred preferred" {
		t.Errorf("its addresses are %s", got)
	}
}

// What two networks are made alike, their packets are alike.
func TestIPv6IsTheSameEveryRun(t *testing.T) {
	var runs [2]string
	for i := range runs {
		n := New(Virtual(), Seed(7), Config(func(c *stack.Config) { c.PlainTimestamps = true }))
		room := n.LAN("room", "2001:db8:10::/64")
		n.Router("gateway", room)
		for _, name := range []string{"a", "b", "c"} {
			room.Host(name, Autoconfigure())
		}
		if err := n.RunFor(20 * time.Second); err != nil {
			t.Fatal(err)
		}
		for _, h := range n.Hosts() {
			runs[i] += fmt.Sprintln(h.Name(), h.Addresses(), h.Neighbors(), h.Routes())
		}
		n.Close()
	}
	if runs[0] != runs[1] {
		t.Errorf("%s\nand then\n%s", runs[0], runs[1])
	}
}

func TestPingOverIPv6(t *testing.T) {
	n := New(Virtual())
	defer n.Close()
	cable := Cables(Link{Delay: time.Millisecond})
	one, two := n.LAN("one", "2001:db8:10::/64", cable), n.LAN("two", "2001:db8:11::/64", cable)
	nick := one.Host("nick", Unprivileged())
	one.Host("feige")
	two.Host("wang")
	n.Router("gateway", one, two)
	ping := func(to string, options ...PingOption) string {
		reply, err := nick.Ping(context.Background(), to, options...)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%v ttl %d seq %d, %d bytes in %v", reply.From, reply.TTL, reply.Seq, reply.Bytes, reply.RTT)
	}
	runProgram(t, n, func() {
		for _, c := range []struct {
			to, want string
			options  []PingOption
		}{
			{"feige", "2001:db8:10::3 ttl 64 seq 1, 64 bytes in 8ms", nil}, // with a solicitation and its answer
			{"feige", "2001:db8:10::3 ttl 64 seq 7, 8 bytes in 4ms", []PingOption{PingSeq(7), PingSize(0)}},
			{"feige", "2001:db8:10::3 ttl 64 seq 1, 4008 bytes in 4ms", []PingOption{PingSize(4000)}},
			{"wang", "2001:db8:11::2 ttl 63 seq 1, 64 bytes in 24ms", nil},
			{"::1", "::1 ttl 64 seq 1, 64 bytes in 0s", nil},
			{"wang", "ping ip6:ipv6-icmp 2001:db8:11::2: hop limit exceeded in transit (from 2001:db8:10::1)", []PingOption{PingTTL(1)}},
			{"2001:db8:99::1", "ping ip6:ipv6-icmp 2001:db8:99::1: no route to the destination (from 2001:db8:10::1)", nil},
			{"2001:db8:10::99", "ping ip6:ipv6-icmp 2001:db8:10::99: address unreachable (from 2001:db8:10::2)", []PingOption{PingTimeout(time.Minute)}},
		} {
			if got := ping(c.to, c.options...); got != c.want {
				t.Errorf("ping %s: %s, want %s", c.to, got, c.want)
			}
		}
	})
}
