package hubbub_test

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"hubbub"
	"hubbub/socket"
	"hubbub/stack"
)

// A writer may do with its buffer what it likes after the call, and a reader gets what
// was written: whoever waits for it, and whatever is on the way.
func TestABufferIsTheWritersOwnAfterTheCall(t *testing.T) {
	for name, x := range map[string]struct {
		options []hubbub.Option
		prepare func(t *testing.T, client, server *hubbub.Host)
		subnet  string
		room    int // of the reader
		late    int // how often the reader lets others go first
	}{
		"the reader waits":            {room: 64 << 10},
		"frame by frame":              {room: 64 << 10, options: []hubbub.Option{hubbub.Config(func(c *stack.Config) { c.GSO = true })}},
		"the reader has less room":    {room: 5000},
		"the reader has more room":    {room: 1 << 20},
		"the reader is late":          {room: 64 << 10, late: 100},
		"the way takes time":          {room: 64 << 10, prepare: harmed(func(c *hubbub.Cable) error { return c.SetDelay(hubbub.Both, 50*time.Microsecond) })},
		"frames are lost":             {room: 64 << 10, prepare: harmed(func(c *hubbub.Cable) error { return c.SetLoss(hubbub.Both, 0.01) })},
		"frames come twice":           {room: 64 << 10, prepare: harmed(func(c *hubbub.Cable) error { return c.SetDuplication(hubbub.Both, 0.1) })},
		"small buffers":               {room: 64 << 10, options: []hubbub.Option{hubbub.Config(smallBuffers)}},
		"over IPv6":                   {room: 64 << 10, subnet: overIPv6},
		"no header is as predicted":   {room: 64 << 10, prepare: unsettled},
		"somebody looks at packets":   {room: 64 << 10, prepare: looking},
		"each segment made by itself": {room: 64 << 10, options: []hubbub.Option{hubbub.Config(func(c *stack.Config) { c.TCP.Offload = 0 })}},
	} {
		t.Run(name, func(t *testing.T) {
			n := hubbub.New(x.options...)
			defer n.Close()
			lan := n.LAN("lan", cmp.Or(x.subnet, "10.0.0.0/24"))
			from, to := lan.Host("from"), lan.Host("to")
			if x.prepare != nil {
				x.prepare(t, from, to)
			}
			client, server := joined(t, from, to)
			scribble(t, client, server, x.room, x.late)
		})
	}
}

func smallBuffers(c *stack.Config) {
	c.TCP.SendBuffer, c.TCP.MaxSendBuffer = 100_000, 100_000
	c.TCP.ReceiveBuffer, c.TCP.MaxReceiveBuffer = 100_000, 100_000
}

// harmed does something to the client's cable.
func harmed(harm func(*hubbub.Cable) error) func(t *testing.T, client, server *hubbub.Host) {
	return func(t *testing.T, client, _ *hubbub.Host) {
		if err := harm(client.Cable()); err != nil {
			t.Fatal(err)
		}
	}
}

// unsettled changes all the time what the server takes for granted.
func unsettled(t *testing.T, _, server *hubbub.Host) {
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; !stop.Load(); i++ {
			if err := server.SetSysctl("net.ipv4.ip_forward", strconv.Itoa(i%2)); err != nil {
				t.Error(err)
				return
			}
			runtime.Gosched()
		}
	}()
	t.Cleanup(func() { stop.Store(true); <-done })
}

// looking lets the server have a raw socket, which sees packets as they are on the cable.
func looking(t *testing.T, _, server *hubbub.Host) {
	s, err := server.SocketOf(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
}

// The same between two networks, each of which has its own lock.
func TestABufferIsTheWritersOwnBeyondATrunk(t *testing.T) {
	a, b := hubbub.New(), hubbub.New(hubbub.CardNumbers(1))
	defer a.Close()
	defer b.Close()
	left, right := a.LAN("left", "10.0.0.0/24"), b.LAN("right", "10.0.0.0/24")
	left.Trunk("trunk", right)
	client, server := joined(t, left.Host("from", hubbub.Address("10.0.0.1")), right.Host("to", hubbub.Address("10.0.0.2")))
	scribble(t, client, server, 64<<10, 0)
}

// joined returns the two ends of a connection.
func joined(t *testing.T, from, to *hubbub.Host) (client, server net.Conn) {
	t.Helper()
	ln, err := to.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	if client, err = from.Dial("tcp", net.JoinHostPort(to.Addr().String(), "80")); err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// scribble sends numbers' streams in writes of all sizes, and writes over each buffer as
// soon as the call has returned.
func scribble(t *testing.T, client, server net.Conn, room int, late int) {
	const total = 8 << 20
	failed := make(chan error, 1)
	go func() {
		r, buf := rand.New(rand.NewPCG(1, 2)), make([]byte, 64<<10)
		sent := 0
		for sent < total {
			n := len(buf)
			if r.IntN(2) == 0 {
				n = 1 + r.IntN(len(buf))
			}
			b := buf[:min(total-sent, n)]
			stream(b, sent)
			n, err := client.Write(b)
			if clear(b); err != nil {
				failed <- err
				return
			}
			sent += n
		}
		failed <- client.Close()
	}()
	got, buf, want := 0, make([]byte, room), make([]byte, room)
	for {
		n, err := server.Read(buf)
		stream(want[:n], got)
		if !bytes.Equal(buf[:n], want[:n]) {
			t.Fatalf("what was read from octet %d on is not what was written", got)
		}
		if got += n; errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for range late * (n % 3) {
			runtime.Gosched()
		}
	}
	if err := <-failed; err != nil || got != total {
		t.Errorf("%d octets of %d, %v", got, total, err)
	}
}

// stream fills b with what the stream has from octet at on.
func stream(b []byte, at int) {
	for i := range b {
		b[i] = byte((at + i) * 2654435761 >> 13)
	}
}
