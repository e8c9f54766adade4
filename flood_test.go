package hubbub_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"hubbub"
	"hubbub/socket"
	"hubbub/wire"
)

const (
	floodRate = 200_000
	floodPath = 500 * time.Microsecond // of each cable
	floodRTT  = 4 * floodPath
)

// floodResult is what became of a real client during a flood.
type floodResult struct {
	took time.Duration
	err  error
	grew int64 // the heap, in bytes
	list []string
}

// floodedDial lets a network have a second of SYNs from invented addresses, half
// of them in the server's subnet, and in the middle of it a real client connect.
func floodedDial(t *testing.T, cookies string) (r floodResult) {
	n := hubbub.New(hubbub.Virtual(), hubbub.Seed(1))
	defer n.Close()
	room := n.LAN("classroom", "172.16.0.0/16")
	feige, nick, mallory := room.Host("feige"), room.Host("nick"), room.Host("mallory")
	n.Router("gateway", room, n.LAN("far", "172.31.0.0/24"))
	for _, h := range []*hubbub.Host{feige, nick, mallory} {
		h.Cable().SetDelay(hubbub.Out, floodPath)
		h.Cable().SetDelay(hubbub.In, floodPath)
	}
	if err := feige.SetSysctl("net.ipv4.tcp_syncookies", cookies); err != nil {
		t.Fatal(err)
	}
	ln, err := feige.Listen("tcp", ":8080")
	if err != nil {
		t.Fatal(err)
	}
	s, err := mallory.SocketOf(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	send := func(count int) {
		for range count {
			if _, err := s.SendTo(spoofedSYN(rnd, feige.Addr()), feige.Addr().String()); err != nil {
				t.Error(err)
			}
		}
	}
	sleep := func(d time.Duration) {
		if err := n.Sleep(d); err != nil {
			t.Error(err)
		}
	}
	var before, after runtime.MemStats
	n.Go("flood", func() {
		measure(&before)
		for tick := range 1000 {
			send(floodRate / 1000)
			sleep(time.Millisecond)
			if tick == 500 {
				n.Go("client", func() {
					began := n.Elapsed()
					var c *socket.Socket
					if c, r.err = nick.Socket(socket.AF_INET, socket.SOCK_STREAM); r.err == nil {
						c.SetTimeout(400 * time.Millisecond)
						r.err = c.Connect(feige.Addr().String() + ":8080")
						r.took = n.Elapsed() - began
					}
				})
			}
		}
		measure(&after)
		r.list = append(r.list, fmt.Sprint(feige.Discards(), len(feige.Neighbors()), len(feige.Netstat())))
	})
	if err := n.Run(); err != nil {
		t.Fatal(err)
	}
	r.grew = int64(after.HeapAlloc) - int64(before.HeapAlloc)
	_ = ln.Close()
	return r
}

func measure(m *runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(m)
}

// spoofedSYN is a SYN to port 8080, with its IPv4 header, from nobody.
func spoofedSYN(rnd *rand.Rand, to netip.Addr) []byte {
	b := rnd.Uint32()
	from := netip.AddrFrom4([4]byte{198, 18 + byte(b>>16&1), byte(b >> 8), byte(b)})
	if b>>31 == 0 {
		from = netip.AddrFrom4([4]byte{172, 16, 1 + byte(b>>8)&127, byte(b)})
	}
	h := wire.IPv4{TTL: 64, DF: true, Protocol: wire.ProtocolTCP, Src: from, Dst: to}
	s := wire.TCP{SrcPort: uint16(rnd.Uint32()) | 1024, DstPort: 8080, Seq: rnd.Uint32(), Flags: wire.SYN, Window: 64240}
	s.Options = wire.TCPOptions{MSS: 1460, SACKPermitted: true, Timestamps: true, TSVal: b, HasWindowScale: true, WindowScale: 7}
	h.TotalLen = h.HeaderLen() + s.HeaderLen()
	p := s.AppendTo(h.AppendTo(nil))
	sum := wire.TransportChecksum(from, to, wire.ProtocolTCP, p[20:], nil)
	p[36], p[37] = byte(sum>>8), byte(sum)
	return p
}

// RFC 4987, 3.6: "SYN cookies allow a TCP implementation to ... continue to
// function" under a flood: at 200,000 SYNs a second, from addresses in the
// subnet and outside it, a real client connects within two round trips, and
// less than a megabyte is taken. Without cookies it doesn't connect. (R4987-1)
func TestASYNFloodWithAndWithoutCookies(t *testing.T) {
	with := floodedDial(t, "1")
	t.Logf("with cookies: %v, heap %+d bytes, %v", with.took, with.grew, with.list)
	if with.err != nil || with.took > 2*floodRTT {
		t.Errorf("with cookies the client connects in %v: %v", with.took, with.err)
	}
	if with.grew > 1<<20 {
		t.Errorf("memory grew by %d bytes", with.grew)
	}
	without := floodedDial(t, "0")
	t.Logf("without: %v, heap %+d bytes, %v", without.err, without.grew, without.list)
	if !errors.Is(without.err, os.ErrDeadlineExceeded) {
		t.Errorf("without cookies the client gets %v after %v", without.err, without.took)
	}
	if without.grew > 1<<20 {
		t.Errorf("without cookies memory grew by %d bytes", without.grew)
	}
}
