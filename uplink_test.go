package hubbub_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hubbub"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// outside is the far end of an uplink: what it reads from come, and what it
// wrote.
type outside struct {
	come   chan []byte
	went   chan []byte
	closed chan struct{}
	refuse bool // every Write
}

func newOutside() *outside {
	return &outside{come: make(chan []byte), went: make(chan []byte, 100), closed: make(chan struct{})}
}

func (o *outside) Read(b []byte) (int, error) {
	select {
	case frame, ok := <-o.come:
		if !ok {
			return 0, io.EOF
		}
		return copy(b, frame), nil
	case <-o.closed:
		return 0, net.ErrClosed
	}
}

func (o *outside) Write(b []byte) (int, error) {
	if o.refuse {
		return 0, errors.New("refused")
	}
	select {
	case o.went <- bytes.Clone(b):
		return len(b), nil
	case <-o.closed:
		return 0, net.ErrClosed
	}
}

func (o *outside) Close() error { close(o.closed); return nil }

// inUplinkBubble runs f with a classroom that has an uplink, in a bubble.
func inUplinkBubble(t *testing.T, f func(t *testing.T, o *outside, u *hubbub.Uplink, nick *hubbub.Host), options ...hubbub.UplinkOption) {
	synctest.Test(t, func(t *testing.T) {
		n := hubbub.New()
		defer n.Close()
		room, o := n.LAN("classroom", "172.16.10.0/24"), newOutside()
		u := room.Uplink("world", o, options...)
		f(t, o, u, room.Host("nick"))
		if err := n.Err(); err != nil {
			t.Error(err)
		}
	})
}

// The gateway of the tests' outside: no machine of any network.
var stranger = wire.MAC{2, 1, 1, 1, 1, 1}

// arpRequest is the outside asking for nick's MAC address, not padded.
func arpRequest(nick *hubbub.Host) []byte {
	eth := wire.Ethernet{Dst: wire.Broadcast, Src: stranger, Type: wire.EtherTypeARP}
	arp := wire.ARP{Op: wire.ARPRequest, SenderMAC: stranger, SenderIP: nick.Addr().Prev(), TargetIP: nick.Addr()}
	return arp.AppendTo(eth.AppendTo(nil))
}

func TestUplinkCarriesFramesBothWays(t *testing.T) {
	inUplinkBubble(t, func(t *testing.T, o *outside, u *hubbub.Uplink, nick *hubbub.Host) {
		o.come <- arpRequest(nick)
		answer := <-o.went
		eth, rest, err := wire.ParseEthernet(answer)
		if err != nil || eth.Dst != stranger || eth.Src != nick.MAC() || len(answer) != 60 {
			t.Fatalf("the answer is %x, %v", answer, err)
		}
		if arp, _, err := wire.ParseARP(rest); err != nil || arp.Op != wire.ARPReply || arp.SenderMAC != nick.MAC() {
			t.Errorf("the answer says %+v, %v", arp, err)
		}
		synctest.Wait()
		if got, want := u.Stats(), (hubbub.UplinkStats{In: 1, InBytes: 60, Out: 1, OutBytes: 60}); got != want {
			t.Errorf("the statistics are %+v, want %+v: what is short is padded", got, want)
		}
		if got := u.Cable().Stats(hubbub.Out).Delivered; got != 1 {
			t.Errorf("the cable brought %d frames into the LAN, want 1", got)
		}
	})
}

// Two networks, each with a LAN that the other's uplink leads to, are one LAN.
func TestTwoNetworksAreJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left, right := hubbub.New(), hubbub.New()
		defer left.Close()
		defer right.Close()
		a, b := net.Pipe()
		east, west := left.LAN("east", "10.0.0.0/24"), right.LAN("west", "10.0.0.0/24", hubbub.Hub())
		east.Uplink("to-west", a)
		west.Uplink("to-east", b)
		server := east.Host("feige", hubbub.Address("10.0.0.10"))
		client := west.Host("nick", hubbub.Address("10.0.0.20"), hubbub.HardwareAddress(wire.MAC{2, 0, 0, 1, 0, 1}))
		want := bytes.Repeat([]byte("all that is said here is heard there. "), 30_000)
		ln := listen(t, server, ":8080")
		go func() {
			if c, err := ln.Accept(); err == nil {
				io.Copy(c, c)
				c.Close()
			}
		}()
		c := dial(t, client, "10.0.0.10:8080")
		go func() {
			c.Write(want)
			c.(interface{ CloseWrite() error }).CloseWrite()
		}()
		if got, err := io.ReadAll(c); !bytes.Equal(got, want) || err != nil {
			t.Errorf("read %d bytes, %v; want the %d that were written", len(got), err, len(want))
		}
	})
}

func TestUplinkDropsWithAReason(t *testing.T) {
	for _, c := range []struct {
		name   string
		frame  []byte
		reason string
	}{
		{"a byte", []byte{1}, "shorter than an Ethernet header"},
		{"13 bytes", make([]byte, 13), "shorter than an Ethernet header"},
		{"too long", make([]byte, wire.EthernetHeaderLen+pkt.MaxView+1), "longer than 64 KiB"},
		{"all that fits", make([]byte, pkt.HeadRoom+pkt.MaxView+1), "longer than 64 KiB"},
	} {
		inUplinkBubble(t, func(t *testing.T, o *outside, u *hubbub.Uplink, nick *hubbub.Host) {
			dropped := ""
			nick.Network().Watch(func(e *event.Event) {
				if d, ok := e.Body.(event.FrameDropped); ok && e.Node == "world" {
					dropped = d.Reason
				}
			})
			o.come <- c.frame
			synctest.Wait()
			if !strings.Contains(dropped, c.reason) {
				t.Errorf("%s: dropped because %q, want %q", c.name, dropped, c.reason)
			}
			if u.Discards()[dropped] != 1 || len(u.Discards()) != 1 || u.Stats().In != 0 {
				t.Errorf("%s: discards %v, %+v", c.name, u.Discards(), u.Stats())
			}
			o.come <- arpRequest(nick)
			<-o.went // it goes on
		})
	}
}

// The longest frame that the uplink takes is the cable's to refuse.
func TestUplinkPassesTheLongestFrameToTheCable(t *testing.T) {
	inUplinkBubble(t, func(t *testing.T, o *outside, u *hubbub.Uplink, _ *hubbub.Host) {
		o.come <- make([]byte, wire.EthernetHeaderLen+pkt.MaxView)
		synctest.Wait()
		if u.Stats().In != 1 || u.Cable().Stats(hubbub.Out).Delivered != 0 {
			t.Errorf("%+v, and the cable carried %+v", u.Stats(), u.Cable().Stats(hubbub.Out))
		}
	})
}

func TestUplinkQueueIsBounded(t *testing.T) {
	inUplinkBubble(t, func(t *testing.T, o *outside, u *hubbub.Uplink, nick *hubbub.Host) {
		o.went = make(chan []byte) // nobody reads
		for range 10 {
			o.come <- arpRequest(nick)
			synctest.Wait()
		}
		// One is with the blocked Write, three wait.
		if got := u.Discards()["too many frames wait for the outside"]; got != 6 {
			t.Errorf("%d of 10 answers were dropped, want 6: %v", got, u.Discards())
		}
		u.Close()
		all := uint64(0)
		for _, n := range u.Discards() {
			all += n
		}
		if all != 10 {
			t.Errorf("of 10 answers %d are accounted for after the end: %v", all, u.Discards())
		}
	}, hubbub.UplinkQueue(3))
}

func TestUplinkSurvivesARefusedWrite(t *testing.T) {
	inUplinkBubble(t, func(t *testing.T, o *outside, u *hubbub.Uplink, nick *hubbub.Host) {
		o.refuse = true
		o.come <- arpRequest(nick)
		o.come <- arpRequest(nick)
		synctest.Wait()
		if got := u.Discards()["the outside refused the frame"]; got != 2 || u.Err() != nil {
			t.Errorf("%d frames were refused, %v; want 2 and no error", got, u.Err())
		}
	})
}

func TestUplinkDropsWhatTheCableHasDamaged(t *testing.T) {
	inUplinkBubble(t, func(t *testing.T, o *outside, u *hubbub.Uplink, nick *hubbub.Host) {
		if err := u.Cable().SetCorruption(hubbub.In, 1); err != nil {
			t.Fatal(err)
		}
		o.come <- arpRequest(nick)
		synctest.Wait()
		if got := u.Discards()["the frame check sequence is wrong"]; got != 1 || len(o.went) != 0 {
			t.Errorf("%d frames were dropped and %d passed, want 1 and 0", got, len(o.went))
		}
	})
}

func TestUplinkEndsWithTheOutside(t *testing.T) {
	inUplinkBubble(t, func(t *testing.T, o *outside, u *hubbub.Uplink, nick *hubbub.Host) {
		close(o.come)
		<-o.closed
		synctest.Wait()
		if err := u.Err(); !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), `uplink "world"`) {
			t.Errorf("the error is %v, want io.EOF and who had it", err)
		}
		u.Close()
	})
}

func TestClosedUplinkTakesNothing(t *testing.T) {
	inUplinkBubble(t, func(t *testing.T, o *outside, u *hubbub.Uplink, nick *hubbub.Host) {
		u.Close()
		u.Close()
		c, err := nick.Dial("udp", "172.16.10.99:9")
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("hello"))
		if got := u.Discards()["the uplink is closed"]; got != 1 || len(o.went) != 0 || u.Err() != nil {
			t.Errorf("the ARP request: %d dropped, %d passed, %v; want 1, 0 and no error", got, len(o.went), u.Err())
		}
	})
}

func TestNetworkCloseEndsUplinks(t *testing.T) {
	inUplinkBubble(t, func(t *testing.T, o *outside, u *hubbub.Uplink, nick *hubbub.Host) {
		n := nick.Network()
		n.Close()
		<-o.closed
		late := newOutside()
		n.LANs()[0].Uplink("late", late)
		<-late.closed
	})
}

func TestMistakesAboutUplinks(t *testing.T) {
	virtual := hubbub.New(hubbub.Virtual())
	defer virtual.Close()
	o := newOutside()
	virtual.LAN("classroom", "172.16.10.0/24").Uplink("world", o).Close()
	<-o.closed
	if err := virtual.Err(); err == nil || !strings.Contains(err.Error(), "a virtual network can't be joined to the outside") {
		t.Errorf("a virtual network: %v", err)
	}
	n := hubbub.New()
	defer n.Close()
	n.LAN("classroom", "172.16.10.0/24").Uplink("world", nil).Close()
	if err := n.Err(); err == nil || !strings.Contains(err.Error(), "it leads to nothing") {
		t.Errorf("an uplink to nil: %v", err)
	}
}

// Whatever comes, the network lives, and its hosts go on answering.
func FuzzUplink(f *testing.F) {
	ip := wire.IPv4{TotalLen: 40, TTL: 64, Protocol: wire.ProtocolTCP}
	eth := wire.Ethernet{Dst: wire.Broadcast, Src: stranger, Type: wire.EtherTypeIPv4}
	tagged := wire.Ethernet{Dst: wire.Broadcast, Src: stranger, Tagged: true, Type: wire.EtherTypeIPv4}
	for _, start := range []*wire.Ethernet{&eth, &tagged} {
		packet := ip.AppendTo(start.AppendTo(nil))
		f.Add(packet[:start.Len()+1])
		f.Add(packet)
		f.Add(append(packet, bytes.Repeat([]byte{0xff}, 60)...))
		packet[start.Len()] = 0x4f // options that aren't there
		f.Add(packet)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		inUplinkBubble(t, func(t *testing.T, o *outside, u *hubbub.Uplink, nick *hubbub.Host) {
			mac := nick.MAC()
			copy(frame, mac[:])
			o.come <- frame
			synctest.Wait()
			for len(o.went) > 0 {
				<-o.went
			}
			o.come <- arpRequest(nick)
			select {
			case <-o.went:
			case <-time.After(time.Second):
				t.Error("nick doesn't answer any more")
			}
		})
	})
}
