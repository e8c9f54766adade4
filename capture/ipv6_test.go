package capture

import (
	"net/netip"
	"strings"
	"testing"

	"hubbub/wire"
)

var (
	v6a = netip.MustParseAddr("2001:db8:10::10")
	v6b = netip.MustParseAddr("2001:db8:10::11")
)

// frame6 returns a frame with a packet of IPv6.
func frame6(dst netip.Addr, next wire.Protocol, hops uint8, payload []byte) []byte {
	eth := wire.Ethernet{Dst: wire.MAC{2, 0, 0, 0, 0, 2}, Src: wire.MAC{2, 0, 0, 0, 0, 1}, Type: wire.EtherTypeIPv6}
	ip := wire.IPv6{PayloadLen: len(payload), NextHeader: next, HopLimit: hops, Src: v6a, Dst: dst, FlowLabel: 0x12345}
	return append(ip.AppendTo(eth.AppendTo(nil)), payload...)
}

func icmp6Frame(dst netip.Addr, m wire.ICMPv6, payload []byte) []byte {
	return frame6(dst, wire.ProtocolICMPv6, 255, m.AppendTo(v6a, dst, nil, payload))
}

func solicitation() []byte {
	n := wire.NeighborMessage{Target: v6b, Options: wire.AppendLinkAddress(nil, wire.SourceLinkAddress, wire.MAC{2, 0, 0, 0, 0, 1})}
	m, payload := n.Message(wire.NeighborSolicitation, nil)
	return icmp6Frame(wire.SolicitedNode(v6b), m, payload)
}

func TestWhatIPv6PacketsAre(t *testing.T) {
	echo := wire.ICMPv6{Type: wire.ICMPv6EchoRequest}
	echo.SetEcho(1, 2)
	tooBig := wire.ICMPv6{Type: wire.ICMPv6PacketTooBig}
	tooBig.SetWord(1280)
	advert := wire.RouterAdvert{Lifetime: 1800, Options: (&wire.PrefixInfo{
		Prefix: netip.MustParsePrefix("2001:db8:10::/64"), Autonomous: true,
	}).AppendTo(nil)}
	ra, raPayload := advert.Message(nil)
	report, records := wire.ListenerReport(nil, wire.ListenerRecord{Type: wire.ChangeToExclude, Group: wire.SolicitedNode(v6b)})
	tcp := wire.TCP{SrcPort: 40000, DstPort: 8080, Seq: 1, Flags: wire.SYN}
	segment := tcp.AppendTo(nil)
	wire.PutTCPChecksum(v6a, v6b, segment, nil)
	fragment := wire.Fragment{NextHeader: wire.ProtocolUDP, Offset: 8, ID: 7}
	wrong := icmp6Frame(v6b, echo, nil)
	wrong[len(wrong)-1] ^= 1
	for _, c := range []struct {
		frame []byte
		want  string
	}{
		{icmp6Frame(v6b, echo, []byte("x")), "ICMPv6 echo request id=1 seq=2 LEN=1"},
		{icmp6Frame(v6b, tooBig, nil), "ICMPv6 packet too big: the next link's MTU is 1280"},
		{solicitation(), "ICMPv6 neighbor solicitation: who has 2001:db8:10::11? Tell 2001:db8:10::10"},
		{icmp6Frame(wire.AllNodes, ra, raPayload), "ICMPv6 router advertisement: a default router for 1800 s; prefix 2001:db8:10::/64, to make addresses from"},
		{icmp6Frame(v6b, report, records), "ICMPv6 multicast listener report: listens to ff02::1:ff00:11"},
		{frame6(v6b, wire.ProtocolTCP, 64, segment), "TCP 40000 -> 8080 SYN SEQ=1"},
		{frame6(v6b, wire.ProtocolFragment, 64, append(fragment.AppendTo(nil), "12345678"...)), "UDP 2001:db8:10::10 -> 2001:db8:10::11, fragment: octets 8-15, the last"},
		{wrong, "ICMPv6 echo request id=1 seq=3 LEN=0 (the ICMPv6 message's checksum is wrong)"},
		{frame6(v6b, wire.ProtocolTCP, 64, segment)[:30], "IPv6 02:00:00:00:00:01 -> 02:00:00:00:00:02, 16 octets (the IPv6 header is cut short)"},
	} {
		p := Decode(c.frame)
		if got := p.Summary(); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// Every field of a neighbour solicitation is explained.
func TestASolicitationExplained(t *testing.T) {
	var out strings.Builder
	if err := Explain(&out, solicitation(), ExplainOptions{Names: map[netip.Addr]string{v6b: "feige"}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"IPv6 packet, 72 octets", "hop limit             255",
		"source                2001:db8:10::10", "the group ff02::1:ff00:11",
		"checksum", "right: over both addresses",
		"target                2001:db8:10::11    feige", "source link-layer", "02:00:00:00:00:01",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
}

// Explaining takes any bytes.
func FuzzExplainIPv6(f *testing.F) {
	f.Add(solicitation())
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) > 13 {
			frame[12], frame[13] = 0x86, 0xdd
		}
		var out strings.Builder
		if err := Explain(&out, frame, ExplainOptions{}); err != nil {
			t.Fatal(err)
		}
		p := Decode(frame)
		_ = p.Summary()
		_ = identify(frame)
	})
}
