package link

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// Ports of the switch: a multicast router is behind 0, hosts behind the others.
const routerPort = 0

// A family is what the tests need of IGMP, or of MLD.
type family struct {
	six            bool
	router, nobody netip.Addr
	host           netip.Addr
	group, other   netip.Addr
	all            netip.Addr // the group of all hosts
	routers        netip.Addr
}

var (
	igmp = family{
		router: addr("10.0.0.1"), nobody: addr("0.0.0.0"), host: addr("10.0.0.9"),
		group: addr("239.1.2.3"), other: addr("239.9.9.9"), all: addr("224.0.0.1"), routers: addr("224.0.0.22"),
	}
	mld = family{
		six: true, router: addr("fe80::1"), nobody: addr("::"), host: addr("fe80::9"),
		group: addr("ff02::1:ff00:9"), other: addr("ff0e::9"), all: addr("ff02::1"), routers: addr("ff02::16"),
	}
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// bothFamilies runs a test with a switch of four ports that snoops.
func bothFamilies(t *testing.T, test func(*testing.T, *Bridge, *family)) {
	for name, f := range map[string]*family{"IGMP": &igmp, "MLD": &mld} {
		t.Run(name, func(t *testing.T) {
			test(t, bridge(t, BridgeConfig{Ports: make([]PortConfig, 4), Snooping: true}), f)
		})
	}
}

// packet makes a frame with a multicast packet.
func (f *family) packet(src, dst netip.Addr, protocol wire.Protocol, before, body []byte, id uint64) *pkt.Packet {
	var b []byte
	eth := wire.Ethernet{Dst: wire.MulticastMAC(dst), Src: mac(byte(0x40 + id%64)), Type: wire.EtherTypeIPv4}
	if f.six {
		eth.Type = wire.EtherTypeIPv6
		h := wire.IPv6{NextHeader: protocol, HopLimit: 1, Src: src, Dst: dst, PayloadLen: len(before) + len(body)}
		b = append(append(h.AppendTo(eth.AppendTo(nil)), before...), body...)
	} else {
		h := wire.IPv4{Protocol: protocol, TTL: 1, Src: src, Dst: dst, Options: before}
		h.TotalLen = h.HeaderLen() + len(body)
		b = append(h.AppendTo(eth.AppendTo(nil)), body...)
	}
	p := pkt.FromBytes(b, min(len(b), 60))
	p.ID = id
	p.Pad(minFrame)
	return p
}

// data is a packet to a group that carries nothing of note.
func (f *family) data(group netip.Addr, id uint64) *pkt.Packet {
	return f.packet(f.host, group, wire.ProtocolUDP, nil, make([]byte, 30), id)
}

// control is an IGMP or MLD message.
func (f *family) control(src, dst netip.Addr, m4 wire.IGMP, m6 wire.ICMPv6, payload []byte, id uint64) *pkt.Packet {
	if f.six {
		alert := wire.AppendRouterAlert(nil, wire.ProtocolICMPv6)
		return f.packet(src, dst, wire.ProtocolHopByHop, alert, m6.AppendTo(src, dst, nil, payload), id)
	}
	return f.packet(src, dst, wire.ProtocolIGMP, wire.RouterAlertIPv4, m4.AppendTo(nil, payload), id)
}

func (f *family) query(src netip.Addr, id uint64) *pkt.Packet {
	q4 := wire.GroupQuery{Version: 3, Group: igmp.nobody, Robustness: 2, Interval: 100 * time.Second, MaxResponse: 10 * time.Second}
	m4, payload := q4.Message(nil)
	q6 := wire.ListenerQuery{Group: mld.nobody, Robustness: 2, Interval: 100 * time.Second, MaxResponse: 10 * time.Second}
	m6, payload6 := q6.Message(nil)
	if f.six {
		payload = payload6
	}
	return f.control(src, f.all, m4, m6, payload, id)
}

// report is one of the newest version, with as many sources.
func (f *family) report(kind wire.RecordType, group netip.Addr, sources int, id uint64) *pkt.Packet {
	r := wire.ListenerRecord{Type: kind, Group: group, Sources: make([]byte, sources*len(f.host.AsSlice()))}
	m4, payload := wire.IGMP{}, []byte(nil)
	m6 := wire.ICMPv6{}
	if f.six {
		m6, payload = wire.ListenerReport(nil, r)
	} else {
		m4, payload = wire.GroupReport(nil, r)
	}
	return f.control(f.host, f.routers, m4, m6, payload, id)
}

func (f *family) joins(id uint64) *pkt.Packet { return f.report(wire.ChangeToExclude, f.group, 0, id) }

// old is a report or leave message of an older version.
func (f *family) old(leave bool, id uint64) *pkt.Packet {
	m4, m6 := wire.IGMP{Type: wire.MembershipReportV2}, wire.MulticastListenerReport
	if leave {
		m4.Type, m6 = wire.LeaveGroup, wire.MulticastListenerDone
	}
	var payload []byte
	var header wire.ICMPv6
	if f.six {
		header, payload = wire.ListenerReportV1(nil, m6, f.group)
	} else {
		m4.SetGroup(f.group)
	}
	return f.control(f.host, f.group, m4, header, payload, id)
}

// RFC 4541, 2.1.2: packets for a group go to those who have reported that they
// listen to it, and to multicast routers; reports go to routers alone (2.1.1).
func TestASwitchThatSnoopsSendsToListenersAlone(t *testing.T) {
	bothFamilies(t, func(t *testing.T, b *Bridge, f *family) {
		wantAll(t, "a query is for all", sent(b, 1*s, routerPort, f.query(f.router, 1)), 1, 2, 3)
		wantAll(t, "a report is for routers", sent(b, 1*s, 2, f.joins(2)), routerPort)
		wantAll(t, "data is for listeners and routers", sent(b, 1*s, 3, f.data(f.group, 3)), routerPort, 2)
		wantAll(t, "from the router, for listeners", sent(b, 1*s, routerPort, f.data(f.group, 4)), 2)
		wantAll(t, "a group that nobody reported is for routers", sent(b, 1*s, 3, f.data(f.other, 5)), routerPort)
		wantAll(t, "what all hosts hear", sent(b, 1*s, 3, f.data(f.all, 6)), 0, 1, 2)
		want(t, "the table", len(b.Groups()), 1)
		want(t, "its line", b.Groups()[0].Group, f.group)
		wantAll(t, "its ports", b.Groups()[0].Ports, 2)
		wantAll(t, "routers", b.RouterPorts(1, f.six), routerPort)
		wantAll(t, "none in another VLAN", b.RouterPorts(2, f.six))
		var learned []Fact
		for _, x := range facts(b) {
			if x.Group.IsValid() || x.Router {
				learned = append(learned, x)
			}
		}
		wantAll(t, "facts", learned,
			Fact{Kind: Learned, Port: routerPort, VLAN: 1, Router: true}, Fact{Kind: Learned, Port: 2, VLAN: 1, Group: f.group})
	})
}

// RFC 4541, 2.1.2 and 3: 224.0.0.X and ff02::1 are flooded, as is what isn't IP;
// so is what never leaves a machine.
func TestSomeGroupsAreAlwaysFlooded(t *testing.T) {
	for _, text := range []string{"224.0.0.251", "224.0.0.255", "ff02::1", "ff01::7", "ff00::7"} {
		f := &igmp
		if addr(text).Is6() {
			f = &mld
		}
		b := bridge(t, BridgeConfig{Ports: make([]PortConfig, 3), Snooping: true})
		sent(b, 0, 0, f.query(f.router, 1))
		sent(b, 0, 1, f.report(wire.ChangeToExclude, addr(text), 0, 2))
		wantAll(t, text, sent(b, 0, 2, f.data(addr(text), 3)), 0, 1)
	}
	b := bridge(t, BridgeConfig{Ports: make([]PortConfig, 3), Snooping: true})
	sent(b, 0, 0, igmp.query(igmp.router, 1))
	p := frameOf(wire.Ethernet{Dst: wire.MAC{0x01, 0, 0x5e, 1, 1, 1}, Src: mac(1), Type: wire.EtherTypeARP}, 60, 9)
	wantAll(t, "no IP", sent(b, 0, 2, p), 0, 1)
	wantAll(t, "no IP that can be read", sent(b, 0, 2, frame(wire.MAC{0x01, 0, 0x5e, 1, 1, 1}, mac(1), 60, 9)), 0, 1)
	wantAll(t, "broadcast", sent(b, 0, 2, frame(wire.Broadcast, mac(1), 60, 9)), 0, 1)
}

// Without a querier nobody reports from time to time: all is flooded.
func TestWithoutAQuerierAllIsFlooded(t *testing.T) {
	bothFamilies(t, func(t *testing.T, b *Bridge, f *family) {
		wantAll(t, "a report", sent(b, 1*s, 2, f.joins(1)), 0, 1, 3)
		wantAll(t, "data", sent(b, 1*s, 3, f.data(f.group, 2)), 0, 1, 2)
		sent(b, 10*s, routerPort, f.query(f.router, 3))
		wantAll(t, "with one", sent(b, 10*s, 3, f.data(f.group, 4)), routerPort, 2)
		// RFC 3376, 8.5: twice the interval, and half the response time.
		until(b, 10*s+205*s-ns)
		wantAll(t, "as long as it counts", sent(b, 210*s, 3, f.data(f.other, 5)), routerPort)
		until(b, 10*s+205*s)
		wantAll(t, "when it is silent", sent(b, 215*s, 3, f.data(f.other, 6)), 0, 1, 2)
		wantAll(t, "the router is forgotten", b.RouterPorts(1, f.six))
		other := &mld
		if f.six {
			other = &igmp
		}
		sent(b, 300*s, routerPort, other.query(other.router, 7))
		wantAll(t, "the other family's querier is another", sent(b, 300*s, 3, f.data(f.group, 8)), 0, 1, 2)
	})
}

// until lets a switch's timers expire.
func until(b *Bridge, now clock.Time) {
	for next := b.NextTimer(); next.Due(now); next = b.NextTimer() {
		b.HandleTimer(next)
	}
}

// RFC 3376, 8.4: a membership lasts twice the querier's interval, and a response
// time.
func TestAListenerIsForgotten(t *testing.T) {
	bothFamilies(t, func(t *testing.T, b *Bridge, f *family) {
		sent(b, 1*s, routerPort, f.query(f.router, 1))
		sent(b, 1*s, 2, f.joins(2))
		sent(b, 100*s, 2, f.joins(3))
		sent(b, 200*s, routerPort, f.query(f.router, 4))
		until(b, 310*s-ns)
		want(t, "groups", len(b.Groups()), 1)
		facts(b)
		until(b, 310*s)
		want(t, "groups", len(b.Groups()), 0)
		wantAll(t, "facts", facts(b)[:1], Fact{Kind: Forgot, Port: 2, VLAN: 1, Group: f.group, Text: "it has been silent for too long"})
		wantAll(t, "data", sent(b, 310*s, 3, f.data(f.group, 5)), routerPort)
	})
}

// A leave message takes effect when nobody else behind the port has answered the
// querier's questions: two seconds later (RFC 3376, 8.10).
func TestAPortIsLeft(t *testing.T) {
	bothFamilies(t, func(t *testing.T, b *Bridge, f *family) {
		leaves := []func(id uint64) *pkt.Packet{
			func(id uint64) *pkt.Packet { return f.report(wire.ChangeToInclude, f.group, 0, id) },
			func(id uint64) *pkt.Packet { return f.old(true, id) },
		}
		for n, leave := range leaves {
			start := clock.Time(n)*100*s + 1*s
			sent(b, start, routerPort, f.query(f.router, 1))
			sent(b, start, 2, f.joins(2))
			sent(b, start, 1, f.joins(3))
			wantAll(t, "the leave message is for routers", sent(b, start, 2, leave(4)), routerPort)
			until(b, start+2*s-ns)
			wantAll(t, "both ports", b.Groups()[0].Ports, 1, 2)
			until(b, start+2*s)
			wantAll(t, "one has left", b.Groups()[0].Ports, 1)
			sent(b, start+3*s, 2, f.old(false, 5))
			sent(b, start+3*s, 2, leave(6))
			sent(b, start+4*s, 2, f.joins(7)) // another host behind the port answers the querier
			until(b, start+10*s)
			wantAll(t, "both ports", b.Groups()[0].Ports, 1, 2)
			sent(b, start+11*s, 3, leave(8))
			wantAll(t, "who hasn't joined can't leave", b.Groups()[0].Ports, 1, 2)
		}
	})
}

// Which records say that somebody listens: sources make no difference.
func TestWhatRecordsSay(t *testing.T) {
	for kind := wire.ModeIsInclude; kind <= wire.BlockSources+1; kind++ {
		for sources := range 2 {
			bothFamilies(t, func(t *testing.T, b *Bridge, f *family) {
				sent(b, 1*s, 2, f.report(kind, f.group, sources, 1))
				exclude := kind == wire.ModeIsExclude || kind == wire.ChangeToExclude
				include := kind == wire.ModeIsInclude || kind == wire.ChangeToInclude || kind == wire.AllowSources
				want(t, "listens", len(b.Groups()) == 1, exclude || include && sources > 0)
			})
		}
	}
}

// RFC 4541, 2.1.1: a query from nobody comes from a switch, not from a router;
// but reports go there.
func TestAQueryFromNobodyIsNoRouters(t *testing.T) {
	bothFamilies(t, func(t *testing.T, b *Bridge, f *family) {
		sent(b, 1*s, 1, f.query(f.nobody, 1))
		wantAll(t, "routers", b.RouterPorts(1, f.six))
		wantAll(t, "a report", sent(b, 1*s, 2, f.joins(2)), 1)
		wantAll(t, "data", sent(b, 1*s, 3, f.data(f.group, 3)), 2)
		wantAll(t, "data for nobody", sent(b, 1*s, 3, f.data(f.other, 4)))
		want(t, "dropped", b.Drops()[NoListener], 1)
		wantAll(t, "a report from where the querier is", sent(b, 1*s, 1, f.joins(5)))
		want(t, "dropped", b.Drops()[NoRouter], 1)
		must(t, b.SetPort(0, PortConfig{Router: true}))
		wantAll(t, "a port that was said to have a router", sent(b, 1*s, 3, f.data(f.other, 6)), 0)
	})
}

// RFC 4286, 4: multicast routers tell of themselves, too.
func TestAMulticastRouterTellsOfItself(t *testing.T) {
	bothFamilies(t, func(t *testing.T, b *Bridge, f *family) {
		sent(b, 1*s, 1, f.query(f.nobody, 1))
		m := f.control(f.router, f.all, wire.IGMP{Type: igmpRouterAdvert, Code: 20}, wire.ICMPv6{Type: icmpv6RouterAdvert, Code: 20}, nil, 2)
		wantAll(t, "it is for all", sent(b, 1*s, 3, m), 0, 1, 2)
		wantAll(t, "routers", b.RouterPorts(1, f.six), 3)
		until(b, 61*s-ns)
		wantAll(t, "routers", b.RouterPorts(1, f.six), 3)
		until(b, 61*s)
		wantAll(t, "routers", b.RouterPorts(1, f.six))
	})
}

// RFC 4541, 2.1.1: a message whose checksum or form is wrong is neither used nor
// flooded; one of an unknown type is flooded.
func TestDamagedMessagesAreDropped(t *testing.T) {
	bothFamilies(t, func(t *testing.T, b *Bridge, f *family) {
		sent(b, 1*s, routerPort, f.query(f.router, 1))
		good := f.joins(2).AppendTo(nil)
		for _, damage := range []func([]byte) []byte{
			func(b []byte) []byte { b[len(b)-13]++; return b },
			func(b []byte) []byte { return b[:len(b)-12] },
			func(b []byte) []byte { b[len(b)-20] ^= 0x55; return b },
		} {
			bytes := damage(append([]byte(nil), good...))
			wantAll(t, "a damaged report", sent(b, 1*s, 2, pkt.FromBytes(bytes, min(len(bytes), 60))))
		}
		want(t, "dropped", b.Drops()[BadGroupMessage], 3)
		want(t, "groups", len(b.Groups()), 0)
		m4, m6 := wire.IGMP{Type: 0x33}, wire.ICMPv6{Type: 200}
		wantAll(t, "unknown", sent(b, 1*s, 2, f.control(f.host, f.all, m4, m6, nil, 9)), 0, 1, 3)
		short := wire.IGMP{Type: wire.MembershipReportV3, Rest: [4]byte{0, 0, 0, 9}}
		short6 := wire.ICMPv6{Type: wire.MulticastListenerReportV2, Rest: [4]byte{0, 0, 0, 9}}
		wantAll(t, "a report without its records", sent(b, 1*s, 2, f.control(f.host, f.routers, short, short6, nil, 10)))
		query := f.control(f.router, f.all, wire.IGMP{Type: wire.MembershipQuery}, wire.ICMPv6{Type: wire.MulticastListenerQuery}, []byte{1, 2}, 11)
		wantAll(t, "a query cut off", sent(b, 1*s, 2, query))
		if f.six {
			done := f.control(f.host, f.routers, wire.IGMP{}, wire.ICMPv6{Type: wire.MulticastListenerDone}, []byte{1}, 12)
			wantAll(t, "a done message cut off", sent(b, 1*s, 2, done))
			far := f.control(addr("2001:db8::1"), f.all, wire.IGMP{}, wire.ICMPv6{Type: wire.MulticastListenerQuery}, make([]byte, 20), 13)
			wantAll(t, "a query from elsewhere", sent(b, 1*s, 2, far))
			bare := wire.ICMPv6{Type: wire.MulticastListenerQuery}
			p := f.packet(f.router, f.all, wire.ProtocolICMPv6, nil, bare.AppendTo(f.router, f.all, nil, make([]byte, 20)), 14)
			wantAll(t, "a query without a router alert", sent(b, 1*s, 2, p))
		}
	})
}

// What a hostile host can fill is bounded; groups that found no room are flooded.
func TestTheTableOfGroupsIsBounded(t *testing.T) {
	b := bridge(t, BridgeConfig{Ports: make([]PortConfig, 4), Snooping: true, Groups: 2})
	sent(b, 1*s, routerPort, igmp.query(igmp.router, 1))
	for i := range 5 {
		g := netip.AddrFrom4([4]byte{239, 0, 0, byte(i)})
		sent(b, 1*s, 2, igmp.report(wire.ChangeToExclude, g, 0, 2))
	}
	want(t, "groups", len(b.Groups()), 2)
	want(t, "refused", b.UnlistedGroups(), 3)
	wantAll(t, "one in the table", sent(b, 1*s, 3, igmp.data(addr("239.0.0.1"), 3)), routerPort, 2)
	wantAll(t, "one that may be listened to", sent(b, 1*s, 3, igmp.data(addr("239.0.0.4"), 4)), 0, 1, 2)
	sent(b, 200*s, routerPort, igmp.query(igmp.router, 5))
	until(b, 300*s)
	wantAll(t, "later", sent(b, 300*s, 3, igmp.data(addr("239.0.0.4"), 6)), routerPort)
	plain := plain(t, 2)
	want(t, "a switch that doesn't snoop", plain.UnlistedGroups(), 0)
	want(t, "its groups", len(plain.Groups()), 0)
	wantAll(t, "its routers", plain.RouterPorts(1, true))
}

func TestWhatIsBehindAPortIsForgottenWithIt(t *testing.T) {
	bothFamilies(t, func(t *testing.T, b *Bridge, f *family) {
		for _, forget := range []func(){func() { b.FlushPort(2); b.FlushPort(routerPort) }, b.Flush} {
			sent(b, 1*s, routerPort, f.query(f.router, 1))
			sent(b, 1*s, 2, f.joins(2))
			forget()
			want(t, "groups", len(b.Groups()), 0)
			wantAll(t, "routers", b.RouterPorts(1, f.six))
		}
		b.SetSnooping(false)
		wantAll(t, "off: flooded", sent(b, 2*s, 3, f.data(f.group, 3)), 0, 1, 2)
		b.FlushPort(1)
		b.SetSnooping(true)
		b.SetSnooping(true)
		wantAll(t, "on: nothing is known", sent(b, 3*s, 3, f.data(f.group, 4)), 0, 1, 2)
	})
}

// Each VLAN has its own listeners and routers.
func TestVLANsSnoopForThemselves(t *testing.T) {
	b := bridge(t, BridgeConfig{Ports: []PortConfig{{}, {}, {VLAN: 2}, {VLAN: 2}, {Trunk: true, VLAN: 1}}, Snooping: true})
	sent(b, 1*s, 0, igmp.query(igmp.router, 1))
	sent(b, 1*s, 2, igmp.query(igmp.router, 2))
	sent(b, 1*s, 4, igmp.joins(3))
	wantAll(t, "VLAN 1", sent(b, 1*s, 1, igmp.data(igmp.group, 4)), 0, 4)
	wantAll(t, "VLAN 2", sent(b, 1*s, 3, igmp.data(igmp.group, 5)), 2)
	for _, x := range b.Groups() {
		want(t, "VLAN", x.VLAN, 1)
	}
	b.FlushPort(0)
	b.FlushPort(2)
	wantAll(t, "routers", b.RouterPorts(2, false))
}

// Looking into what a group's packet carries costs no allocation.
func TestSnoopingAllocatesNothing(t *testing.T) {
	b, err := NewBridge(BridgeConfig{Ports: make([]PortConfig, 4), Snooping: true})
	must(t, err)
	sent(b, 1*s, routerPort, igmp.query(igmp.router, 1))
	sent(b, 1*s, 2, igmp.joins(2))
	p := igmp.data(igmp.group, 3)
	if n := testing.AllocsPerRun(100, func() {
		b.HandleFrame(1*s, routerPort, p)
		_, p, _ = b.PollFrame(1 * s)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever is sent to a switch, its tables are bounded, and no timer stays in
// the past.
func TestASwitchBearsEveryMessage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b, _ := NewBridge(BridgeConfig{Ports: make([]PortConfig, 4), Snooping: true, Groups: 8})
		now := clock.Time(0)
		for range 60 {
			now += clock.Time(rapid.Int64Range(0, int64(100*s)).Draw(rt, "wait"))
			until(b, now)
			f := []*family{&igmp, &mld}[rapid.IntRange(0, 1).Draw(rt, "family")]
			raw := f.group.AsSlice()
			raw[len(raw)-1] = rapid.Byte().Draw(rt, "group")
			group, _ := netip.AddrFromSlice(raw)
			port := rapid.IntRange(0, 3).Draw(rt, "port")
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				sent(b, now, port, f.query(f.router, 1))
			case 1:
				kind := wire.RecordType(rapid.IntRange(0, 7).Draw(rt, "kind"))
				sent(b, now, port, f.report(kind, group, rapid.IntRange(0, 3).Draw(rt, "sources"), 2))
			case 2:
				sent(b, now, port, f.control(f.host, f.all, wire.IGMP{Type: 0x22}, wire.ICMPv6{Type: 143},
					rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "bytes"), 3))
			default:
				for _, out := range sent(b, now, port, f.data(group, 4)) {
					if out == port {
						rt.Fatalf("a frame went back to port %d", port)
					}
				}
			}
			if len(b.Groups()) > 8 {
				rt.Fatalf("%d groups", len(b.Groups()))
			}
			if next := b.NextTimer(); next.Due(now) {
				b.HandleTimer(now)
				if next = b.NextTimer(); next.Due(now) {
					rt.Fatalf("at %v the timer stays at %v", now, next)
				}
			}
		}
	})
}
