package hubbub_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"hubbub"
	"hubbub/wire"
)

// A wire has two ends, at which headers and frames go in and come out.
type wireEnd struct {
	in, out chan []byte
	quit    chan struct{}
	once    *sync.Once
	refuses bool // to take work off others
	longest *atomic.Int64
}

func newWire(refuses bool) (a, b *wireEnd) {
	ab, ba, quit := make(chan []byte, 64), make(chan []byte, 64), make(chan struct{})
	once, longest := new(sync.Once), new(atomic.Int64)
	return &wireEnd{ba, ab, quit, once, refuses, longest}, &wireEnd{ab, ba, quit, once, refuses, longest}
}

func (e *wireEnd) Offload() error {
	if e.refuses {
		return errors.New("no")
	}
	return nil
}

func (e *wireEnd) ReadParts(parts [][]byte) (int, error) {
	select {
	case b := <-e.in:
		return fill(parts, b), nil
	case <-e.quit:
		return 0, io.EOF
	}
}

// fill fills one buffer after the other, and returns how much that was.
func fill(parts [][]byte, b []byte) (n int) {
	for _, part := range parts {
		k := copy(part, b)
		b, n = b[k:], n+k
	}
	return n
}

func (e *wireEnd) WriteParts(parts [][]byte) (int, error) {
	var b []byte
	for _, part := range parts {
		b = append(b, part...)
	}
	e.longest.Store(max(e.longest.Load(), int64(len(b))))
	select {
	case e.out <- b:
		return len(b), nil
	case <-e.quit:
		return 0, os.ErrClosed
	}
}

func (e *wireEnd) Read(b []byte) (int, error)  { return e.ReadParts([][]byte{b}) }
func (e *wireEnd) Write(b []byte) (int, error) { return e.WriteParts([][]byte{b}) }

func (e *wireEnd) Close() error {
	e.once.Do(func() { close(e.quit) })
	return nil
}

// Segments go outside as they are and come in as they are, where both take them; what
// arrives is what was written.
func TestSegmentsCrossAnUplinkAsAWhole(t *testing.T) {
	for name, x := range map[string]struct {
		refuses, tried bool
		subnet         string
		from, to       string
		options        []hubbub.UplinkOption
		harm           func(*hubbub.Cable) error
		longest, least int64
	}{
		"IPv4":                       {subnet: "10.0.0.0/24", from: "10.0.0.1", to: "10.0.0.2", longest: 10 + 14 + 65535, least: 20000},
		"IPv6":                       {subnet: "fd00::/64", from: "fd00::1", to: "fd00::2", longest: 10 + 14 + 65535, least: 20000},
		"an outside that is tried":   {tried: true, subnet: "10.0.0.0/24", from: "10.0.0.1", to: "10.0.0.2", longest: 10 + 14 + 65535, least: 20000},
		"an outside that refuses":    {refuses: true, subnet: "10.0.0.0/24", from: "10.0.0.1", to: "10.0.0.2", longest: 1514, least: 1514},
		"a cable that delays frames": {subnet: "10.0.0.0/24", from: "10.0.0.1", to: "10.0.0.2", longest: 10 + 1514, least: 10 + 1514, harm: delayed},
		"little room":                {subnet: "10.0.0.0/24", from: "10.0.0.1", to: "10.0.0.2", longest: 10 + 14 + 65535, least: 10 + 1514, options: []hubbub.UplinkOption{hubbub.UplinkQueue(20)}},
	} {
		t.Run(name, func(t *testing.T) {
			left, right := hubbub.New(), hubbub.New(hubbub.CardNumbers(1))
			defer left.Close()
			defer right.Close()
			a, b := newWire(x.refuses)
			here, there := left.LAN("left", x.subnet), right.LAN("right", x.subnet)
			from, to := here.Host("from", hubbub.Address(x.from)), there.Host("to", hubbub.Address(x.to))
			var this, that io.ReadWriteCloser = a, b
			if x.tried {
				this, that = triedEnd{a}, triedEnd{b}
			}
			up := here.Uplink("up", this, x.options...)
			there.Uplink("up", that, x.options...)
			if x.harm != nil {
				if err := x.harm(up.Cable()); err != nil {
					t.Fatal(err)
				}
			}
			client, server := joined(t, from, to)
			scribble(t, client, server, 64<<10, 0)
			if n := a.longest.Load(); n < x.least || n > x.longest {
				t.Errorf("the longest that went outside has %d octets, want %d to %d", n, x.least, x.longest)
			}
			if s := up.Stats(); s.Out < 8<<20/1448 || s.OutBytes/s.Out > 1514 {
				t.Errorf("%d frames of %d octets were counted", s.Out, s.OutBytes)
			}
		})
	}
}

func delayed(c *hubbub.Cable) error { return c.SetDelay(hubbub.Both, 1) }

// A frame whose header can't be right goes no further, and is counted.
func TestAHeaderThatCantBeRight(t *testing.T) {
	n := hubbub.New()
	defer n.Close()
	a, b := newWire(false)
	up := n.LAN("lan", "10.0.0.0/24").Uplink("up", a)
	frame := make([]byte, 10+60)
	frame[0], frame[6], frame[7] = 1, 0xff, 0xff
	for _, f := range [][]byte{frame, frame[:15], frame[:10], frame[:3], {}} {
		b.out <- f
	}
	good := make([]byte, 10+60)
	b.out <- good
	for up.Stats().In == 0 {
		if err := up.Err(); err != nil {
			t.Fatal(err)
		}
	}
	all := up.Discards()
	if all["what the outside leaves to be done with the frame can't be done"] != 1 || all["the frame from outside is shorter than an Ethernet header"] != 1 || len(all) != 2 {
		t.Errorf("%v", all)
	}
}

// A segment with a VLAN tag that is to be cut is cut where it comes in, and each piece has
// the tag, its own sequence number, and a checksum that is right.
func TestATaggedSegmentIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := hubbub.New()
		defer n.Close()
		here, there := newTrial(), newOutside()
		lan := n.LAN("lan", "10.0.0.0/24", hubbub.Hub())
		lan.Uplink("here", here)
		lan.Uplink("there", there)
		text := make([]byte, 2500)
		stream(text, 0)
		src, dst := netip.MustParseAddr("10.0.0.8"), netip.MustParseAddr("10.0.0.9")
		eth := wire.Ethernet{Dst: wire.Broadcast, Src: stranger, Tagged: true, VLAN: wire.VLAN{ID: 7}, Type: wire.EtherTypeIPv4}
		ip := wire.IPv4{TotalLen: 40 + len(text), TTL: 64, Protocol: wire.ProtocolTCP, Src: src, Dst: dst}
		tcp := wire.TCP{SrcPort: 1, DstPort: 2, Seq: 1000, Flags: wire.ACK | wire.PSH}
		frame := append(tcp.AppendTo(ip.AppendTo(eth.AppendTo(nil))), text...)
		binary.BigEndian.PutUint16(frame[38+16:], ^wire.PseudoHeader(src, dst, wire.ProtocolTCP, 20+len(text)).Fold())
		// A checksum is to be computed, over IPv4 cut, headers of 58 octets, into 1000 each; the
		// checksum's part begins at 38, and it is at 16 of that.
		here.header = [...]byte{1, 1, 58, 0, 0xe8, 3, 38, 0, 16, 0}
		here.comes(frame)
		got := []byte(nil)
		for i := range 3 {
			piece := <-there.went
			e, packet, err := wire.ParseEthernet(piece)
			if err != nil || !e.Tagged || e.VLAN.ID != 7 {
				t.Fatalf("piece %d: %+v, %v", i, e, err)
			}
			ip, segment, err := wire.ParseIPv4(packet)
			if err != nil {
				t.Fatal(err)
			}
			if sum := wire.PseudoHeader(ip.Src, ip.Dst, wire.ProtocolTCP, len(segment)).Add(segment).Fold(); sum != 0 {
				t.Errorf("piece %d sums up to %x", i, sum)
			}
			tcp, part, err := wire.ParseTCPHeader(segment)
			if err != nil || tcp.Seq != uint32(1000+1000*i) || tcp.Flags.Has(wire.PSH) != (i == 2) {
				t.Errorf("piece %d: %+v, %v", i, tcp, err)
			}
			got = append(got, part...)
		}
		if !bytes.Equal(got, text) {
			t.Errorf("%d octets of text, want the %d that came", len(got), len(text))
		}
	})
}
