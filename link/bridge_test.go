package link

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// bridge returns a switch that is watched.
func bridge(t *testing.T, cfg BridgeConfig) *Bridge {
	t.Helper()
	b, err := NewBridge(cfg)
	must(t, err)
	b.Watch = true
	return b
}

func plain(t *testing.T, ports int) *Bridge {
	return bridge(t, BridgeConfig{Ports: make([]PortConfig, ports)})
}

// sent hands a frame in at port and returns where it came out.
func sent(d Device, at clock.Time, port int, p *pkt.Packet) (ports []int) {
	d.HandleFrame(at, port, p)
	for _, a := range drain(d, at) {
		ports = append(ports, a.port)
	}
	return ports
}

func TestASwitchFloodsWhatItDoesNotKnow(t *testing.T) {
	b := plain(t, 4)
	wantAll(t, "an unknown station", sent(b, 0, 1, frame(mac(9), mac(1), 60, 1)), 0, 2, 3)
	wantAll(t, "broadcast", sent(b, 0, 1, frame(wire.Broadcast, mac(1), 60, 2)), 0, 2, 3)
	wantAll(t, "multicast", sent(b, 0, 1, frame(wire.MAC{0x01, 0, 0x5e, 0, 0, 1}, mac(1), 60, 3)), 0, 2, 3)
}

func TestASwitchLearnsWhereAStationIs(t *testing.T) {
	b := plain(t, 4)
	sent(b, 1*s, 1, frame(mac(2), mac(1), 60, 1))
	wantAll(t, "facts", facts(b), Fact{Kind: Learned, Port: 1, ID: 1, MAC: mac(1), VLAN: 1})
	wantAll(t, "the answer goes there alone", sent(b, 2*s, 3, frame(mac(1), mac(2), 60, 2)), 1)
	facts(b)
	wantAll(t, "and so does the next frame", sent(b, 3*s, 1, frame(mac(2), mac(1), 60, 3)), 3)
	wantAll(t, "there is nothing new", facts(b))
	wantAll(t, "the table", b.Table(),
		Station{VLAN: 1, MAC: mac(1), Port: 1, Seen: 3 * s}, Station{VLAN: 1, MAC: mac(2), Port: 3, Seen: 2 * s})
}

func TestASwitchFollowsAStationThatMoves(t *testing.T) {
	b := plain(t, 4)
	sent(b, 0, 1, frame(mac(2), mac(1), 60, 1))
	facts(b)
	sent(b, 0, 2, frame(mac(2), mac(1), 60, 2))
	wantAll(t, "facts", facts(b),
		Fact{Kind: Learned, Port: 2, ID: 2, MAC: mac(1), VLAN: 1, Text: "it has moved to another port"})
	wantAll(t, "frames follow", sent(b, 0, 3, frame(mac(1), mac(3), 60, 3)), 2)
}

func TestASwitchKeepsFramesBackFromTheirOwnPort(t *testing.T) {
	b := plain(t, 3)
	sent(b, 0, 1, frame(mac(9), mac(1), 60, 1)) // both stations are on a hub at port 1
	facts(b)
	wantAll(t, "nothing leaves", sent(b, 0, 1, frame(mac(1), mac(2), 60, 2)))
	all := facts(b)
	want(t, "the frame is dropped", all[1], Fact{Kind: Dropped, Reason: SamePort.String(), Port: 1, ID: 2})
}

func TestASwitchDropsWhatItMustNotForward(t *testing.T) {
	bad := frame(mac(2), mac(1), 60, 1)
	bad.FlipBit(200)
	short := pkt.FromBytes(make([]byte, 60), 13)
	short.ID = 1
	for _, x := range []struct {
		why  Reason
		port int
		p    *pkt.Packet
	}{
		{BadFCS, 0, bad},
		{BadHeader, 0, short},
		{BadSource, 0, frame(mac(2), wire.Broadcast, 60, 1)},
		{BadSource, 0, frame(mac(2), wire.MAC{}, 60, 1)},
		{Reserved, 0, frame(wire.MAC{1, 0x80, 0xc2, 0, 0, 0}, mac(1), 60, 1)},
		{Reserved, 0, frame(wire.MAC{1, 0x80, 0xc2, 0, 0, 15}, mac(1), 60, 1)},
		{NoSuchPort, 7, frame(mac(2), mac(1), 60, 1)},
		{NoSuchPort, -1, frame(mac(2), mac(1), 60, 1)},
	} {
		b := plain(t, 3)
		wantAll(t, "forwarded", sent(b, 0, x.port, x.p))
		wantAll(t, "facts", facts(b), Fact{Kind: Dropped, Reason: x.why.String(), Port: x.port, ID: 1})
		want(t, "counted", b.Drops()[x.why], 1)
		want(t, "learned", len(b.Table()), 0)
	}
	b := plain(t, 3)
	wantAll(t, "one address further is forwarded",
		sent(b, 0, 0, frame(wire.MAC{1, 0x80, 0xc2, 0, 0, 16}, mac(1), 60, 1)), 1, 2)
}

// IEEE 802.1D, 7.9.2: "the Ageing Time [...] 300.0 s".
func TestASilentStationIsForgottenAfterFiveMinutes(t *testing.T) {
	b := plain(t, 3)
	sent(b, 1*s, 1, frame(mac(9), mac(1), 60, 1))
	sent(b, 2*s, 2, frame(mac(9), mac(2), 60, 2))
	sent(b, 100*s, 1, frame(mac(9), mac(1), 60, 3)) // station 1 is heard again
	facts(b)
	want(t, "the first look", b.NextTimer(), 301*s)
	b.HandleTimer(301 * s)
	wantAll(t, "nobody is forgotten", facts(b))
	want(t, "the next look", b.NextTimer(), 302*s)
	b.HandleTimer(302*s - ns)
	wantAll(t, "a nanosecond before", facts(b))
	b.HandleTimer(302 * s)
	wantAll(t, "station 2 is forgotten", facts(b),
		Fact{Kind: Forgot, Port: 2, MAC: mac(2), VLAN: 1, Text: "it has been silent for too long"})
	want(t, "the look for station 1", b.NextTimer(), 400*s)
	b.HandleTimer(400 * s)
	want(t, "stations left", len(b.Table()), 0)
	want(t, "no more looks", b.NextTimer(), clock.Never)
	wantAll(t, "flooded again", sent(b, 400*s, 0, frame(mac(1), mac(3), 60, 4)), 1, 2)
}

func TestAgeingCanBeSet(t *testing.T) {
	b := bridge(t, BridgeConfig{Ports: make([]PortConfig, 2), Ageing: 10 * time.Second})
	sent(b, 5*s, 0, frame(mac(9), mac(1), 60, 1))
	want(t, "the look", b.NextTimer(), 15*s)
}

// A station that sends from invented addresses fills the table. Those who are
// known stay known; frames for the others are flooded.
func TestAFullTableLearnsNobodyElse(t *testing.T) {
	b := bridge(t, BridgeConfig{Ports: make([]PortConfig, 3), Size: 10})
	sent(b, 0, 0, frame(mac(9), mac(1), 60, 1))
	for i := range 100 {
		src := wire.MAC{2, 1, 0, 0, 0, byte(i)}
		sent(b, 1*s, 2, frame(mac(9), src, 60, 2))
	}
	want(t, "stations", len(b.Table()), 10)
	want(t, "not learned", b.Unlearned(), 91)
	wantAll(t, "to the known station", sent(b, 2*s, 1, frame(mac(1), mac(3), 60, 3)), 0)
	wantAll(t, "to one that is not", sent(b, 2*s, 1, frame(wire.MAC{2, 1, 0, 0, 0, 99}, mac(3), 60, 3)), 0, 2)
	sent(b, 200*s, 0, frame(mac(9), mac(1), 60, 1))
	b.HandleTimer(301 * s)
	want(t, "stations after the invented ones aged", len(b.Table()), 1)
	sent(b, 301*s, 1, frame(mac(9), mac(3), 60, 4))
	want(t, "there is room again", len(b.Table()), 2)
}

func TestPullingACableForgetsWhoWasBehindIt(t *testing.T) {
	b := plain(t, 3)
	sent(b, 0, 0, frame(mac(9), mac(1), 60, 1))
	sent(b, 0, 1, frame(mac(9), mac(2), 60, 2))
	facts(b)
	b.FlushPort(0)
	wantAll(t, "facts", facts(b), Fact{Kind: Forgot, Port: 0, MAC: mac(1), VLAN: 1, Text: "its port has changed"})
	want(t, "stations", len(b.Table()), 1)
	b.Flush()
	want(t, "stations after all were flushed", len(b.Table()), 0)
	want(t, "nothing to age", b.NextTimer(), clock.Never)
}

func TestASwitchCanGrow(t *testing.T) {
	b := bridge(t, BridgeConfig{})
	for i, vlan := range []uint16{1, 2, 1} {
		got, err := b.AddPort(PortConfig{VLAN: vlan})
		must(t, err)
		want(t, "the new port", got, i)
	}
	wantAll(t, "flooded", sent(b, 0, 0, frame(wire.Broadcast, mac(1), 60, 1)), 2)
	_, err := b.AddPort(PortConfig{VLAN: 4095})
	want(t, "the error", fmt.Sprint(err), "port 3: VLAN 4095: it must be between 1 and 4094")
	for _, i := range []int{-1, 3} {
		want(t, "the error", fmt.Sprint(b.SetPort(i, PortConfig{})),
			fmt.Sprintf("port %d: the switch has the ports 0 to 2", i))
	}
}

func TestChangingAPortsVLANForgetsWhoWasBehindIt(t *testing.T) {
	b := plain(t, 3)
	sent(b, 0, 0, frame(mac(9), mac(1), 60, 1))
	must(t, b.SetPort(0, PortConfig{VLAN: 2}))
	want(t, "stations", len(b.Table()), 0)
	wantAll(t, "its old VLAN does without it", sent(b, 0, 1, frame(wire.Broadcast, mac(2), 60, 2)), 2)
	if err := b.SetPort(0, PortConfig{VLAN: 4095}); err == nil {
		t.Error("an impossible VLAN was accepted")
	}
}

// office is a switch with two access ports each in VLANs 10 and 20 and a
// trunk that has VLAN 1 untagged.
func office(t *testing.T) *Bridge {
	return bridge(t, BridgeConfig{Ports: []PortConfig{
		{VLAN: 10},
		{VLAN: 10},
		{VLAN: 20},
		{VLAN: 20},
		{Trunk: true, VLAN: 1, Allowed: []uint16{10, 20}},
	}})
}

// headerOf hands a frame in and returns the header with which it leaves at
// that port.
func headerOf(t *testing.T, b *Bridge, in, out int, p *pkt.Packet) (wire.Ethernet, int) {
	t.Helper()
	b.HandleFrame(0, in, p)
	h, n := wire.Ethernet{}, 0
	for port, q, ok := b.PollFrame(0); ok; port, q, ok = b.PollFrame(0) {
		if port == out {
			var err error
			h, _, err = wire.ParseEthernet(q.AppendTo(nil))
			must(t, err)
			n = q.Len()
		}
		q.Release()
	}
	return h, n
}

func TestVLANsAreApart(t *testing.T) {
	b := office(t)
	wantAll(t, "from VLAN 10", sent(b, 0, 0, frame(wire.Broadcast, mac(1), 60, 1)), 1, 4)
	wantAll(t, "from VLAN 20", sent(b, 0, 3, frame(wire.Broadcast, mac(2), 60, 1)), 2, 4)
	wantAll(t, "a station of the other VLAN is not known", sent(b, 0, 0, frame(mac(2), mac(1), 60, 1)), 1, 4)
	wantAll(t, "the table", b.Table(),
		Station{VLAN: 10, MAC: mac(1), Port: 0}, Station{VLAN: 20, MAC: mac(2), Port: 3})
}

// What Pass lets through is what HandleFrame would have sent, and leaves the
// same table behind; what it doesn't, it has not touched.
func TestWhatPassesAtOnceIsWhatWouldBeSent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		slow, fast := office(t), office(t)
		passed := 0
		for i := range 60 {
			now, in := clock.Time(i)*s, rapid.IntRange(0, 4).Draw(rt, "in")
			dst := rapid.SampledFrom([]wire.MAC{mac(1), mac(2), mac(3), wire.Broadcast}).Draw(rt, "dst")
			src := mac(rapid.SampledFrom([]byte{1, 2, 3}).Draw(rt, "src"))
			vlan := rapid.SampledFrom([]uint16{0, 10, 20, 30}).Draw(rt, "vlan")
			make := func() *pkt.Packet {
				if vlan != 0 {
					return taggedFrame(dst, src, vlan, 64, 1)
				}
				return frame(dst, src, 60, 1)
			}
			ports := sent(slow, now, in, make())
			p := make()
			if out, ok := fast.Pass(now, in, p); ok {
				passed++
				wantAll(t, "the port", ports, out)
				p.Release()
			} else {
				wantAll(t, "the ports", sent(fast, now, in, p), ports...)
			}
			wantAll(t, "the table", fast.Table(), slow.Table()...)
		}
		rt.Logf("%d of 60 passed at once", passed)
	})
}

func TestAKnownConversationPassesAtOnce(t *testing.T) {
	b := plain(t, 3)
	sent(b, 0, 0, frame(mac(2), mac(1), 60, 1))
	p := frame(mac(1), mac(2), 60, 2)
	_, ok := b.Pass(1*s, 2, p)
	want(t, "a sender that isn't known has to be learned", ok, false)
	b.HandleFrame(1*s, 2, p)
	drain(b, 1*s)
	out, ok := b.Pass(2*s, 0, frame(mac(2), mac(1), 60, 3))
	want(t, "then it passes", ok, true)
	want(t, "from the port", out, 2)
	want(t, "and the sender was heard", b.Table()[0].Seen, 2*s)
}

func TestATrunkCarriesTags(t *testing.T) {
	b := office(t)
	h, n := headerOf(t, b, 0, 4, frame(wire.Broadcast, mac(1), 60, 1))
	want(t, "on the trunk", h, wire.Ethernet{
		Dst: wire.Broadcast, Src: mac(1), Type: wire.EtherTypeIPv4, Tagged: true, VLAN: wire.VLAN{ID: 10},
	})
	want(t, "and 4 longer", n, 64)
	h, n = headerOf(t, b, 4, 2, taggedFrame(wire.Broadcast, mac(7), 20, 64, 2))
	want(t, "from the trunk", h, wire.Ethernet{Dst: wire.Broadcast, Src: mac(7), Type: wire.EtherTypeIPv4})
	want(t, "and 4 shorter", n, 60)
	_, n = headerOf(t, b, 4, 2, taggedFrame(wire.Broadcast, mac(7), 20, 60, 3))
	want(t, "but never shorter than the least frame", n, 60)
	wantAll(t, "its VLAN's ports alone", sent(b, 0, 4, taggedFrame(wire.Broadcast, mac(7), 10, 64, 4)), 0, 1)
}

func TestTheNativeVLANIsUntagged(t *testing.T) {
	b := office(t)
	must(t, b.SetPort(0, PortConfig{VLAN: 1}))
	h, _ := headerOf(t, b, 0, 4, frame(wire.Broadcast, mac(1), 60, 1))
	want(t, "tagged", h.Tagged, false)
	wantAll(t, "untagged from the trunk", sent(b, 0, 4, frame(wire.Broadcast, mac(2), 60, 2)), 0)
}

func TestThePriorityOfATagIsKept(t *testing.T) {
	b := bridge(t, BridgeConfig{Ports: []PortConfig{{Trunk: true}, {Trunk: true}, {VLAN: 5}}})
	p := frameOf(wire.Ethernet{
		Dst: wire.Broadcast, Src: mac(1), Type: wire.EtherTypeIPv4, Tagged: true,
		VLAN: wire.VLAN{ID: 5, Priority: 6, DropEligible: true},
	}, 64, 1)
	h, _ := headerOf(t, b, 0, 1, p)
	want(t, "on the other trunk", h.VLAN, wire.VLAN{ID: 5, Priority: 6, DropEligible: true})
}

func TestATagOfPriorityAloneCounts(t *testing.T) {
	b := bridge(t, BridgeConfig{Ports: []PortConfig{{VLAN: 5}, {Trunk: true}}})
	p := frameOf(wire.Ethernet{
		Dst: wire.Broadcast, Src: mac(1), Type: wire.EtherTypeIPv4, Tagged: true,
		VLAN: wire.VLAN{ID: 0, Priority: 3},
	}, 64, 1)
	h, n := headerOf(t, b, 0, 1, p)
	want(t, "as the port's VLAN", h.VLAN, wire.VLAN{ID: 5, Priority: 3})
	want(t, "not tagged twice", n, 64)
}

func TestFramesOfOtherVLANsAreDropped(t *testing.T) {
	b := bridge(t, BridgeConfig{Ports: []PortConfig{
		{VLAN: 5},
		{Trunk: true, Allowed: []uint16{5}},
		{VLAN: 5},
	}})
	for _, x := range []struct {
		port int
		p    *pkt.Packet
		why  Reason
	}{
		{0, taggedFrame(wire.Broadcast, mac(1), 6, 64, 1), WrongVLAN},
		{1, taggedFrame(wire.Broadcast, mac(1), 6, 64, 1), VLANNotAllowed},
		{1, taggedFrame(wire.Broadcast, mac(1), 4095, 64, 1), BadHeader},
		{1, frame(wire.Broadcast, mac(1), 60, 1), NoNativeVLAN},
	} {
		wantAll(t, "forwarded", sent(b, 0, x.port, x.p))
		wantAll(t, "facts", facts(b), Fact{Kind: Dropped, Reason: x.why.String(), Port: x.port, ID: 1})
	}
	wantAll(t, "tagged for the access port's own VLAN", sent(b, 0, 0, taggedFrame(wire.Broadcast, mac(1), 5, 64, 1)), 1, 2)
}

func TestTheLonelyPortOfAVLANReachesNobody(t *testing.T) {
	b := bridge(t, BridgeConfig{Ports: []PortConfig{{VLAN: 5}, {VLAN: 6}}})
	wantAll(t, "forwarded", sent(b, 0, 0, frame(wire.Broadcast, mac(1), 60, 1)))
	want(t, "counted", b.Drops()[NoOtherPort], 1)
}

func TestAFrameWithoutRoomForATagGetsOne(t *testing.T) {
	bytes := frame(wire.Broadcast, mac(1), 200, 1).AppendTo(nil)
	p := pkt.FromBytes(bytes, pkt.HeadRoom)
	p.ID, p.Reason = 9, "because"
	p = addTag(p)
	want(t, "its facts", fmt.Sprintf("%d %s", p.ID, p.Reason), "9 because")
	got := p.AppendTo(nil)
	want(t, "its length", len(got), 204)
	want(t, "its addresses", string(got[:12]), string(bytes[:12]))
	want(t, "what follows the tag", string(got[16:]), string(bytes[12:]))
}

func TestImpossibleVLANsAreRefused(t *testing.T) {
	for _, cfg := range []PortConfig{{VLAN: 4095}, {Trunk: true, Allowed: []uint16{0}}, {Trunk: true, Allowed: []uint16{4095}}} {
		if _, err := NewBridge(BridgeConfig{Ports: []PortConfig{{}, cfg}}); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
	_, err := NewBridge(BridgeConfig{Ports: []PortConfig{{}, {VLAN: 5000}}})
	want(t, "the error", fmt.Sprint(err), "port 1: VLAN 5000: it must be between 1 and 4094")
}

func TestForwardingAllocatesNothing(t *testing.T) {
	b, _ := NewBridge(BridgeConfig{Ports: make([]PortConfig, 4)})
	sent(b, 0, 1, frame(mac(9), mac(1), 60, 1))
	sent(b, 0, 2, frame(mac(9), mac(2), 60, 1))
	p := frame(mac(2), mac(1), 1514, 1)
	allocs := testing.AllocsPerRun(1000, func() {
		b.HandleFrame(1*s, 1, p)
		_, p, _ = b.PollFrame(1 * s)
	})
	want(t, "allocations per frame", allocs, 0)
}

func BenchmarkForward(b *testing.B) {
	br, _ := NewBridge(BridgeConfig{Ports: make([]PortConfig, 4)})
	sent(br, 0, 1, frame(mac(9), mac(1), 60, 1))
	sent(br, 0, 2, frame(mac(9), mac(2), 60, 1))
	p := frame(mac(2), mac(1), 1514, 1)
	b.ReportAllocs()
	for b.Loop() {
		br.HandleFrame(1*s, 1, p)
		_, p, _ = br.PollFrame(1 * s)
	}
}

// Whatever stations send, a frame leaves only from ports of its VLAN, never
// from where it came, at most once from each; and the table stays bounded and
// in order.
func TestASwitchNeverLeaks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ports := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) PortConfig {
			return PortConfig{VLAN: rapid.Uint16Range(1, 3).Draw(t, "vlan")}
		}), 2, 6).Draw(t, "ports")
		b, err := NewBridge(BridgeConfig{Ports: ports, Size: 4, Ageing: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		now := clock.Time(0)
		for range 100 {
			now += clock.Time(rapid.IntRange(0, int(3*s)).Draw(t, "gap"))
			b.HandleTimer(now)
			in := rapid.IntRange(0, len(ports)-1).Draw(t, "in")
			src, dst := mac(rapid.Byte().Draw(t, "src")%8), mac(rapid.Byte().Draw(t, "dst")%8)
			seen := map[int]bool{}
			for _, out := range sent(b, now, in, frame(dst, src, 60, 1)) {
				if out == in || seen[out] || ports[out].VLAN != ports[in].VLAN {
					t.Fatalf("a frame from port %d left from %d", in, out)
				}
				seen[out] = true
			}
			table := b.Table()
			if len(table) > 3*4 {
				t.Fatalf("the table has %d stations", len(table))
			}
			for _, st := range table {
				if now.Sub(st.Seen) > 10*time.Second {
					t.Fatalf("%v was last seen at %v, and it is %v", st.MAC, st.Seen, now)
				}
			}
			if (b.NextTimer() == clock.Never) != (len(table) == 0) {
				t.Fatalf("%d stations, and the next look at them is at %v", len(table), b.NextTimer())
			}
		}
	})
}

func FuzzBridge(f *testing.F) {
	f.Add(frame(mac(2), mac(1), 60, 1).AppendTo(nil), byte(0), 14)
	f.Add(taggedFrame(mac(2), mac(1), 5, 64, 1).AppendTo(nil), byte(1), 16)
	f.Fuzz(func(t *testing.T, bytes []byte, port byte, head int) {
		if len(bytes) > 2000 || head < 0 {
			return
		}
		b, _ := NewBridge(BridgeConfig{Ports: []PortConfig{{VLAN: 5}, {Trunk: true}, {Trunk: true, VLAN: 5}, {}}})
		b.Watch = true
		b.HandleFrame(0, int(port%5), pkt.FromBytes(bytes, head))
		left := uint64(len(drain(b, 0)))
		if left+b.drops.Total() == 0 {
			t.Error("the frame disappeared without a reason")
		}
	})
}
