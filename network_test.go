package hubbub_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hubbub"
	"hubbub/socket"
)

// classroom returns a network of one LAN with two hosts.
func classroom(options ...hubbub.Option) (n *hubbub.Network, server, client *hubbub.Host) {
	return classroomOn("172.16.10.0/24", options...)
}

// classroomOn is a classroom with another subnet.
func classroomOn(subnet string, options ...hubbub.Option) (n *hubbub.Network, server, client *hubbub.Host) {
	n = hubbub.New(append([]hubbub.Option{hubbub.Seed(1)}, options...)...)
	room := n.LAN("classroom", subnet)
	return n, room.Host("feige"), room.Host("nick")
}

// A way is over which family the hosts of a test talk. What is mapped is IPv4,
// at servers whose sockets are of IPv6, for both.
type way struct {
	name, subnet string
	four         string // what the names of networks have behind them
	family       socket.Family
}

var ways = []*way{
	{"IPv4", "172.16.10.0/24", "", socket.AF_INET},
	{"IPv6", "2001:db8:10::/64", "", socket.AF_INET6},
	{"mapped", "172.16.10.0/24, 2001:db8:10::/64", "4", socket.AF_INET6},
}

// at returns where on the classroom's subnet, or outside, "host:port" is: the
// number is the last of the address.
func (w *way) at(inside bool, last byte, port string) string {
	addr := netip.AddrFrom4([4]byte{172, 16, 10, last})
	switch {
	case w.name == "IPv6" && inside:
		addr = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 0x10, 15: last})
	case w.name == "IPv6":
		addr = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 0x99, 15: last})
	case !inside:
		addr = netip.AddrFrom4([4]byte{10, 9, 9, last})
	}
	return net.JoinHostPort(addr.String(), port)
}

// A host is a machine that talks in one of the ways.
type host struct {
	*hubbub.Host
	way *way
}

func (h host) Dial(network, address string) (net.Conn, error) {
	return h.Host.Dial(network+h.way.four, address)
}

func (h host) stream() (*socket.Socket, error) { return h.Socket(h.way.family, socket.SOCK_STREAM) }

// inBubble runs f with a classroom in a synctest bubble, in each of the ways.
func inBubble(t *testing.T, f func(t *testing.T, n *hubbub.Network, server, client host)) {
	t.Helper()
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, server, client := classroomOn(w.subnet)
				defer n.Close()
				if err := n.Err(); err != nil {
					t.Fatal(err)
				}
				f(t, n, host{server, w}, host{client, w})
			})
		})
	}
}

// who listens and dials.
type who interface {
	Listen(network, address string) (net.Listener, error)
	Dial(network, address string) (net.Conn, error)
}

func listen(t *testing.T, h who, address string) net.Listener {
	t.Helper()
	ln, err := h.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func dial(t *testing.T, h who, address string) net.Conn {
	t.Helper()
	c, err := h.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantErrno(t *testing.T, what string, err error, want syscall.Errno) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestEcho(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		ln := listen(t, server, ":8080")
		go func() {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			io.Copy(c, c)
			c.Close()
		}()
		c := dial(t, client, "feige:8080")
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		c.(interface{ CloseWrite() error }).CloseWrite()
		got, err := io.ReadAll(c)
		if string(got) != "hello" || err != nil {
			t.Errorf("read %q, %v; want hello", got, err)
		}
		c.Close()
	})
}

func TestServerSurvivesPeerDeath(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		ln := listen(t, server, ":8080")
		died := make(chan error, 1)
		go func() {
			c, err := ln.Accept()
			if err != nil {
				died <- err
				return
			}
			c.(interface{ SetKeepAlive(bool) error }).SetKeepAlive(true)
			_, err = c.Read(make([]byte, 1))
			died <- err
		}()
		dial(t, client, "feige:8080")
		client.PowerOff() // no FIN, no RST: it is just gone
		start := time.Now()
		wantErrno(t, "the server's connection", <-died, syscall.ETIMEDOUT)
		// The course's figures: two hours, then a probe each 75 s (RFC 9293, 3.8.4).
		if took, want := time.Since(start), 2*time.Hour+9*75*time.Second; took != want {
			t.Errorf("it took %v, want %v", took, want)
		}
	})
}

func TestRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		_, err := client.Dial("tcp", "feige:8080")
		wantErrno(t, "nobody listens", err, syscall.ECONNREFUSED)
	})
}
