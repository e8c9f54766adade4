package hubbub_test

import (
	"net"
	"testing"

	"hubbub/internal/need"
)

// exchange writes 64 KiB at one end and reads it at the other: some 45
// segments of an Ethernet's MTU, and their acknowledgements, through a switch.
// Everything happens within the calls, so one goroutine does.
func exchange(t testing.TB, from, to net.Conn, buf []byte) {
	if _, err := from.Write(buf); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(buf); {
		got, err := to.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		n += got
	}
}

func TestTheDataPathAllocatesNothing(t *testing.T) {
	need.NoRace(t)
	for _, subnet := range []string{"172.16.10.0/24", overIPv6} {
		t.Run(subnet, func(t *testing.T) { allocatesNothing(t, subnet) })
	}
}

func allocatesNothing(t *testing.T, subnet string) {
	client, server := connectedOn(t, subnet)
	buf := make([]byte, 64<<10)
	for range 100 {
		exchange(t, client, server, buf)
	}
	// A collection of garbage may empty the pools: less than one allocation in
	// forty segments is none per segment.
	if allocs := testing.AllocsPerRun(200, func() { exchange(t, client, server, buf) }); allocs >= 1 {
		t.Errorf("%v allocations in 64 KiB, want none", allocs)
	}
}

func TestDatagramsByARouterAllocateNothing(t *testing.T) {
	need.NoRace(t)
	forward := byRouter(t)
	for range 100 {
		forward()
	}
	if allocs := testing.AllocsPerRun(1000, forward); allocs >= 1 {
		t.Errorf("%v allocations for a datagram, want none", allocs)
	}
}

// BenchmarkExchange is bulk transfer without a switch of goroutines: what a
// byte costs on its way through both stacks.
func BenchmarkExchange(b *testing.B) { exchanges(b, "172.16.10.0/24") }

// BenchmarkExchangeIPv6 is BenchmarkExchange over IPv6.
func BenchmarkExchangeIPv6(b *testing.B) { exchanges(b, overIPv6) }

func exchanges(b *testing.B, subnet string) {
	client, server := connectedOn(b, subnet)
	buf := make([]byte, 64<<10)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		exchange(b, client, server, buf)
	}
}
