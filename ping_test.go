package hubbub_test

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hubbub"
)

// twoRooms runs f as a program of a virtual network of two rooms and a
// gateway, and then at the real pace in a bubble. Every cable takes 1 ms.
func twoRooms(t *testing.T, f func(t *testing.T, n *hubbub.Network, nick *hubbub.Host)) {
	body := func(t *testing.T, pace hubbub.Option) {
		n := hubbub.New(pace)
		defer n.Close()
		cable := hubbub.Cables(hubbub.Link{Delay: time.Millisecond})
		one, two := n.LAN("one", "172.16.10.0/24", cable), n.LAN("two", "172.16.11.0/24", cable)
		nick := one.Host("nick", hubbub.Unprivileged()) // ping takes no privilege
		one.Host("feige")
		two.Host("wang")
		n.Router("gateway", one, two)
		n.Go("test", func() { f(t, n, nick) })
		if err := n.Run(); err != nil {
			t.Error(err)
		}
	}
	t.Run("virtual", func(t *testing.T) { body(t, hubbub.Virtual()) })
	t.Run("bubble", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { body(t, hubbub.Real()) }) })
}

func TestPing(t *testing.T) {
	twoRooms(t, func(t *testing.T, n *hubbub.Network, nick *hubbub.Host) {
		for _, x := range []struct {
			to      string
			from    string
			rtt     time.Duration
			ttl     uint8
			options []hubbub.PingOption
			seq     int
			bytes   int
		}{
			{"feige", "172.16.10.3", 8 * time.Millisecond, 64, nil, 1, 64}, // with an ARP request and its reply
			{"feige", "172.16.10.3", 4 * time.Millisecond, 64, []hubbub.PingOption{hubbub.PingSeq(7), hubbub.PingSize(0)}, 7, 8},
			{"feige", "172.16.10.3", 4 * time.Millisecond, 64, []hubbub.PingOption{hubbub.PingSize(4000)}, 1, 4008},
			{"wang", "172.16.11.2", 16 * time.Millisecond, 63, nil, 1, 64}, // two ARP requests and replies
			{"wang", "172.16.11.2", 8 * time.Millisecond, 63, nil, 1, 64},
			{"127.0.0.1", "127.0.0.1", 0, 64, nil, 1, 64},
		} {
			got, err := nick.Ping(context.Background(), x.to, x.options...)
			want := hubbub.PingReply{RTT: x.rtt, TTL: x.ttl, Seq: x.seq, Bytes: x.bytes}
			if from := got.From.String(); from != x.from {
				t.Errorf("the answer comes from %s, want %s", from, x.from)
			}
			want.From = got.From
			if err != nil || got != want {
				t.Errorf("ping %s: %+v, %v; want %+v", x.to, got, err, want)
			}
		}
	})
}

func TestPingErrors(t *testing.T) {
	twoRooms(t, func(t *testing.T, n *hubbub.Network, nick *hubbub.Host) {
		ping := func(to string, options ...hubbub.PingOption) error {
			_, err := nick.Ping(context.Background(), to, options...)
			return err
		}
		for _, x := range []struct {
			err  error
			text string
			is   error
		}{
			{
				ping("172.16.10.99", hubbub.PingTimeout(time.Minute)),
				"ping ip4:icmp 172.16.10.99: host unreachable (from 172.16.10.2)", syscall.EHOSTUNREACH,
			},
			{
				ping("172.16.11.99", hubbub.PingTimeout(time.Minute)),
				"ping ip4:icmp 172.16.11.99: host unreachable (from 172.16.10.1)", syscall.EHOSTUNREACH,
			},
			{ping("10.9.9.9"), "ping ip4:icmp 10.9.9.9: network unreachable (from 172.16.10.1)", syscall.ENETUNREACH},
			{
				ping("wang", hubbub.PingTTL(1)),
				"ping ip4:icmp 172.16.11.2: time to live exceeded in transit (from 172.16.10.1)", syscall.EHOSTUNREACH,
			},
			{ping("nobody"), "ping ip4:icmp: lookup nobody: no such host", nil},
			{ping("172.16.10.255"), "ping ip4:icmp 172.16.10.255: sendto: permission denied", syscall.EACCES},
			{ping("172.16.10.98"), "ping ip4:icmp 172.16.10.98: i/o timeout", os.ErrDeadlineExceeded},
		} {
			if x.err == nil || x.err.Error() != x.text || x.is != nil && !errors.Is(x.err, x.is) {
				t.Errorf("%v, want %s", x.err, x.text)
			}
		}
	})
}

// A second is how long an answer is waited for, or what the context says.
func TestPingTimesOut(t *testing.T) {
	twoRooms(t, func(t *testing.T, n *hubbub.Network, nick *hubbub.Host) {
		n.Lookup("wang").PowerOff()
		before := n.Elapsed()
		_, err := nick.Ping(context.Background(), "wang")
		if took := n.Elapsed() - before; !errors.Is(err, os.ErrDeadlineExceeded) || took != time.Second {
			t.Errorf("%v after %v, want a time-out after 1s", err, took)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := nick.Ping(ctx, "wang"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
	})
}

// Pings that are under way at the same time don't take each other's answers.
func TestPingsAtTheSameTime(t *testing.T) {
	twoRooms(t, func(t *testing.T, n *hubbub.Network, nick *hubbub.Host) {
		for _, to := range []string{"feige", "wang", "feige", "gateway"} {
			want := n.Lookup(to).Addr()
			n.Go("ping "+to, func() {
				if got, err := nick.Ping(context.Background(), to); err != nil || got.From != want {
					t.Errorf("ping %s: from %v, %v; want %v", to, got.From, err, want)
				}
			})
		}
	})
}

// A context's deadline is a duration from now, in the network's time.
func TestPingHeedsTheContextsDeadline(t *testing.T) {
	n, server, client := classroom()
	defer n.Close()
	server.PowerOff()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := client.Ping(ctx, "feige", hubbub.PingTimeout(time.Hour))
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v, want that the deadline has passed", err)
	}
}
