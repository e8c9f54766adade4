package socket_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hubbub"
	"hubbub/socket"
)

// A room is a LAN with three hosts, and a test whose body is a program there.
type room struct {
	*testing.T
	way              *way
	net              *hubbub.Network
	feige, nick, tom *hubbub.Host
	programs         sync.WaitGroup
}

// A way is over which of the families the sockets of a test talk: those of
// AF_INET6 do so over either.
type way struct {
	name, subnet string
	family       socket.Family
}

var (
	overIPv4   = &way{"IPv4", "172.16.10.0/24", socket.AF_INET}
	overIPv6   = &way{"IPv6", "2001:db8:10::/64", socket.AF_INET6}
	overMapped = &way{"mapped", "172.16.10.0/24", socket.AF_INET6}
)

// inRoom runs the body over both families, and over IPv4 with sockets of
// AF_INET6: each in virtual time, and at the real pace in a synctest bubble.
func inRoom(t *testing.T, body func(r *room)) {
	t.Helper()
	for _, w := range []*way{overIPv4, overIPv6, overMapped} {
		inRoomOver(t, w, body)
	}
}

// inRoomOver runs the body over one of the families.
func inRoomOver(t *testing.T, w *way, body func(r *room)) {
	t.Helper()
	t.Run(w.name+"/virtual", func(t *testing.T) { run(t, w, body, hubbub.Virtual()) })
	t.Run(w.name+"/bubble", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { run(t, w, body, hubbub.Real()) })
	})
}

// at returns a text with addresses of IPv4, and perhaps ports behind them, as
// the family under test has it: 172.16.10.2 is the host with that number.
func (r *room) at(text string) string {
	return r.replace(text, func(addr netip.Addr) netip.Addr {
		switch {
		case r.way == overIPv6 && addr.IsUnspecified():
			return netip.IPv6Unspecified()
		case r.way == overIPv6:
			b := netip.MustParseAddr("2001:db8:10::").As16()
			if !netip.MustParsePrefix("172.16.10.0/24").Contains(addr) {
				b[5] = 0x99
			}
			b[15] = addr.As4()[3]
			return netip.AddrFrom16(b)
		case r.way == overMapped && addr.IsUnspecified():
			return netip.IPv6Unspecified()
		case r.way == overMapped:
			return netip.AddrFrom16(addr.As16())
		}
		return addr
	})
}

// dialled is at for what package net shows, which has mapped addresses as they
// are in IPv4.
func (r *room) dialled(text string) string {
	if r.way == overMapped {
		return text
	}
	return r.at(text)
}

var ipv4Text = regexp.MustCompile(`(\d+\.\d+\.\d+\.\d+)(:\d+)?`)

func (r *room) replace(text string, f func(netip.Addr) netip.Addr) string {
	return ipv4Text.ReplaceAllStringFunc(text, func(found string) string {
		host, port, hasPort := strings.Cut(found, ":")
		addr := f(netip.MustParseAddr(host))
		switch {
		case !hasPort:
			return addr.String()
		case addr.Is4():
			return addr.String() + ":" + port
		}
		return "[" + addr.String() + "]:" + port
	})
}

func run(t *testing.T, w *way, body func(r *room), pace hubbub.Option) {
	n := hubbub.New(hubbub.Seed(1), pace)
	defer n.Close()
	lan := n.LAN("room", w.subnet)
	r := &room{T: t, way: w, net: n, feige: lan.Host("feige"), nick: lan.Host("nick"), tom: lan.Host("tom", hubbub.Unprivileged())}
	r.start(func() { body(r) })
	if err := n.Run(); err != nil {
		t.Error(err)
	}
	n.Close()
	r.programs.Wait()
}

// start runs f beside the test.
func (r *room) start(f func()) {
	r.programs.Add(1)
	r.net.Go("test", func() { defer r.programs.Done(); f() })
}

// sleep lets time pass in the network.
func (r *room) sleep(d time.Duration) {
	r.Helper()
	r.ok("sleep", r.net.Sleep(d))
}

// takes checks how long f takes in the network's time.
func (r *room) takes(what string, want time.Duration, f func()) {
	r.Helper()
	before := r.net.Elapsed()
	f()
	if took := r.net.Elapsed() - before; took != want {
		r.Errorf("%s takes %v, want %v", what, took, want)
	}
}

func (r *room) ok(what string, err error) {
	r.Helper()
	if err != nil {
		r.Fatalf("%s: %v", what, err)
	}
}

// fails checks that an error is what it should be: an errno, or another that
// errors.Is finds.
func (r *room) fails(what string, got, want error) {
	r.Helper()
	if !errors.Is(got, want) || (want == nil) != (got == nil) {
		r.Errorf("%s: %v, want %v", what, got, want)
	}
}

func (r *room) equal(what string, got, want any) {
	r.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		r.Errorf("%s: %s, want %s", what, g, w)
	}
}

// tcp, udp, unix and unixgram return a socket of a host.
func (r *room) tcp(h *hubbub.Host) *socket.Socket {
	return r.socket(h, r.way.family, socket.SOCK_STREAM)
}

func (r *room) udp(h *hubbub.Host) *socket.Socket {
	return r.socket(h, r.way.family, socket.SOCK_DGRAM)
}

func (r *room) unix(h *hubbub.Host) *socket.Socket {
	return r.socket(h, socket.AF_UNIX, socket.SOCK_STREAM)
}

func (r *room) unixgram(h *hubbub.Host) *socket.Socket {
	return r.socket(h, socket.AF_UNIX, socket.SOCK_DGRAM)
}

func (r *room) socket(h *hubbub.Host, f socket.Family, k socket.Type) *socket.Socket {
	r.Helper()
	s, err := h.Socket(f, k)
	r.ok("socket", err)
	return s
}

// listens returns a socket of a host that listens at an address.
func (r *room) listens(h *hubbub.Host, address string, backlog int) *socket.Socket {
	r.Helper()
	s := r.tcp(h)
	r.ok("bind", s.Bind(address))
	r.ok("listen", s.Listen(backlog))
	return s
}

// pair returns both ends of a connection from nick to feige.
func (r *room) pair() (server, client *socket.Socket) {
	r.Helper()
	l := r.tcp(r.feige)
	r.set(l, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	r.ok("bind", l.Bind(":8080"))
	r.ok("listen", l.Listen(5))
	client = r.tcp(r.nick)
	r.ok("connect", client.Connect("feige:8080"))
	server, _, err := l.Accept()
	r.ok("accept", err)
	r.ok("close", l.Close())
	return server, client
}

// set sets an option.
func (r *room) set(s *socket.Socket, level, name, value int) {
	r.Helper()
	r.ok("setsockopt", s.SetSockOpt(level, name, value))
}

// has checks the value of an option.
func (r *room) has(what string, s *socket.Socket, level, name, want int) {
	r.Helper()
	got, err := s.GetSockOpt(level, name)
	if err != nil || got != want {
		r.Errorf("%s: %d, %v; want %d", what, got, err, want)
	}
}

// hears checks what Recv returns.
func (r *room) hears(s *socket.Socket, flags int, want string) {
	r.Helper()
	got, err := s.Recv(100, flags)
	if err != nil || string(got) != want {
		r.Errorf("recv: %q, %v; want %q", got, err, want)
	}
}

func (r *room) sends(s *socket.Socket, data string) {
	r.Helper()
	n, err := s.Send([]byte(data), 0)
	if err != nil || n != len(data) {
		r.Errorf("send: %d, %v; want %d", n, err, len(data))
	}
}

// recvError, sendError and acceptError return a call's error alone.
func recvError(s *socket.Socket, flags int) error {
	_, err := s.Recv(10, flags)
	return err
}

func sendError(s *socket.Socket, flags int) error {
	_, err := s.Send([]byte("x"), flags)
	return err
}

func acceptError(s *socket.Socket) error {
	_, _, err := s.Accept()
	return err
}

// hostOf and portIn return the parts of "host:port".
func hostOf(address string) string {
	host, _, _ := net.SplitHostPort(address)
	return host
}

func portIn(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// overhead returns by how much the header of IP is longer than IPv4's.
func (r *room) overhead() int {
	if r.way == overIPv6 {
		return 20
	}
	return 0
}
