package wire_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"hubbub/wire"
)

// The same comparison with gopacket for IPv6, its extensions and ICMPv6.

func (r maker) ip6() netip.Addr { return netip.AddrFrom16([16]byte(r.bytes(16))) }

func (r maker) ipv6(next wire.Protocol) wire.IPv6 {
	return wire.IPv6{
		TrafficClass: r.u8(), FlowLabel: r.Uint32() >> 12, NextHeader: next, HopLimit: r.u8(), Src: r.ip6(), Dst: r.ip6(),
	}
}

func wantIPv6(t *testing.T, p gopacket.Packet, h wire.IPv6) {
	t.Helper()
	i := layer[*layers.IPv6](t, p, layers.LayerTypeIPv6)
	want(t, "IPv6", wire.IPv6{
		TrafficClass: i.TrafficClass, FlowLabel: i.FlowLabel, PayloadLen: int(i.Length),
		NextHeader: wire.Protocol(i.NextHeader), HopLimit: i.HopLimit, Src: ipOf(i.SrcIP), Dst: ipOf(i.DstIP),
	}, h)
}

// packet6 puts an Ethernet and an IPv6 header before what follows them.
func (r maker) packet6(h *wire.IPv6, payload []byte) []byte {
	eth := r.ethernet(wire.EtherTypeIPv6)
	h.PayloadLen = len(payload)
	return append(h.AppendTo(eth.AppendTo(nil)), payload...)
}

func TestOracleReadsTCPOverIPv6(t *testing.T) {
	r := newMaker(21)
	for range oracleRounds {
		ip, tcp, payload := r.ipv6(wire.ProtocolTCP), r.tcp(), r.octets()
		b := tcp.AppendTo(nil)
		wire.PutTCPChecksum(ip.Src, ip.Dst, b, payload)
		p := decode(t, r.packet6(&ip, append(b, payload...)))
		wantIPv6(t, p, ip)
		l := layer[*layers.TCP](t, p, layers.LayerTypeTCP)
		want(t, "payload", string(l.Payload), string(payload))
	}
}

func TestOracleReadsUDPOverIPv6(t *testing.T) {
	r := newMaker(22)
	for range oracleRounds {
		ip, payload := r.ipv6(wire.ProtocolUDP), r.octets()
		udp := wire.UDP{SrcPort: r.port(), DstPort: r.port(), Length: 8 + len(payload)}
		b := udp.AppendTo(nil)
		wire.PutUDPChecksum(ip.Src, ip.Dst, b, payload)
		p := decode(t, r.packet6(&ip, append(b, payload...)))
		wantIPv6(t, p, ip)
		want(t, "payload", string(layer[*layers.UDP](t, p, layers.LayerTypeUDP).Payload), string(payload))
	}
}

func TestOracleReadsAFragment(t *testing.T) {
	r := newMaker(23)
	for range oracleRounds {
		ip := r.ipv6(wire.ProtocolFragment)
		f := wire.Fragment{NextHeader: wire.ProtocolUDP, Offset: 8 * r.IntN(8192), More: r.bit(), ID: r.Uint32()}
		p := decode(t, r.packet6(&ip, append(f.AppendTo(nil), r.octets()...)))
		wantIPv6(t, p, ip)
		l := layer[*layers.IPv6Fragment](t, p, layers.LayerTypeIPv6Fragment)
		want(t, "fragment", wire.Fragment{
			NextHeader: wire.Protocol(l.NextHeader), Offset: 8 * int(l.FragmentOffset), More: l.MoreFragments, ID: l.Identification,
		}, f)
	}
}

func TestOracleReadsARouterAdvertisement(t *testing.T) {
	r := newMaker(24)
	for range oracleRounds {
		ip, prefix := r.ipv6(wire.ProtocolICMPv6), r.prefixInfo()
		a := wire.RouterAdvert{
			HopLimit: r.u8(), Managed: r.bit(), Other: r.bit(), Lifetime: r.u16(), Reachable: r.Uint32(), Retrans: r.Uint32(),
			Options: prefix.AppendTo(wire.AppendLinkAddress(nil, wire.SourceLinkAddress, r.mac())),
		}
		m, payload := a.Message(nil)
		p := decode(t, r.packet6(&ip, m.AppendTo(ip.Src, ip.Dst, nil, payload)))
		l := layer[*layers.ICMPv6RouterAdvertisement](t, p, layers.LayerTypeICMPv6RouterAdvertisement)
		want(t, "hop limit", l.HopLimit, a.HopLimit)
		want(t, "managed", l.ManagedAddressConfig(), a.Managed)
		want(t, "other", l.OtherConfig(), a.Other)
		want(t, "lifetime", l.RouterLifetime, a.Lifetime)
		want(t, "reachable", l.ReachableTime, a.Reachable)
		want(t, "retrans", l.RetransTimer, a.Retrans)
		want(t, "options", len(l.Options), 2)
		want(t, "link address", string(l.Options[0].Data), string(a.Options[2:8]))
		want(t, "prefix", string(l.Options[1].Data), string(a.Options[10:]))
	}
}

func (r maker) prefixInfo() wire.PrefixInfo {
	return wire.PrefixInfo{
		Prefix: netip.PrefixFrom(r.ip6(), r.IntN(129)).Masked(), OnLink: r.bit(), Autonomous: r.bit(),
		Valid: r.Uint32(), Preferred: r.Uint32(),
	}
}

func TestOracleReadsNeighborMessages(t *testing.T) {
	r := newMaker(25)
	for range oracleRounds {
		ip, mac := r.ipv6(wire.ProtocolICMPv6), r.mac()
		n := wire.NeighborMessage{
			Target: r.ip6(), Router: r.bit(), Solicited: r.bit(), Override: r.bit(),
			Options: wire.AppendLinkAddress(nil, wire.TargetLinkAddress, mac),
		}
		m, payload := n.Message(wire.NeighborAdvertisement, nil)
		p := decode(t, r.packet6(&ip, m.AppendTo(ip.Src, ip.Dst, nil, payload)))
		l := layer[*layers.ICMPv6NeighborAdvertisement](t, p, layers.LayerTypeICMPv6NeighborAdvertisement)
		want(t, "target", ipOf(l.TargetAddress), n.Target)
		want(t, "router", l.Router(), n.Router)
		want(t, "solicited", l.Solicited(), n.Solicited)
		want(t, "override", l.Override(), n.Override)
		want(t, "link address", string(l.Options[0].Data), string(mac[:]))
	}
}

func TestOracleReadsListenerReports(t *testing.T) {
	r := newMaker(26)
	for range oracleRounds {
		ip := r.ipv6(wire.ProtocolHopByHop)
		record := wire.ListenerRecord{Type: wire.RecordType(1 + r.IntN(6)), Group: r.ip6(), Sources: r.bytes(16 * r.IntN(3))}
		m, payload := wire.ListenerReport(nil, record)
		b := m.AppendTo(ip.Src, ip.Dst, wire.AppendRouterAlert(nil, wire.ProtocolICMPv6), payload)
		p := decode(t, r.packet6(&ip, b))
		l := layer[*layers.MLDv2MulticastListenerReportMessage](t, p, layers.LayerTypeMLDv2MulticastListenerReport)
		want(t, "records", len(l.MulticastAddressRecords), 1)
		theirs := l.MulticastAddressRecords[0]
		want(t, "type", wire.RecordType(theirs.RecordType), record.Type)
		want(t, "group", ipOf(theirs.MulticastAddress), record.Group)
		want(t, "sources", len(theirs.SourceAddresses), len(record.Sources)/16)
	}
}

func TestReadsOraclesIPv6(t *testing.T) {
	r := newMaker(27)
	for range oracleRounds {
		ip, payload := r.ipv6(wire.ProtocolUDP), r.octets()
		i := theirIPv6(ip)
		u := &layers.UDP{SrcPort: layers.UDPPort(r.u16()), DstPort: layers.UDPPort(r.u16())}
		want(t, "error", u.SetNetworkLayerForChecksum(i), nil)
		h, rest, err := wire.ParseIPv6(encode(t, i, u, gopacket.Payload(payload)))
		want(t, "error", err, nil)
		ip.PayloadLen = 8 + len(payload)
		want(t, "IPv6", h, ip)
		want(t, "checksum", wire.TransportChecksum(h.Src, h.Dst, wire.ProtocolUDP, rest[:8], rest[8:]), 0)
	}
}

func theirIPv6(h wire.IPv6) *layers.IPv6 {
	return &layers.IPv6{
		Version: 6, TrafficClass: h.TrafficClass, FlowLabel: h.FlowLabel, NextHeader: layers.IPProtocol(h.NextHeader),
		HopLimit: h.HopLimit, SrcIP: h.Src.AsSlice(), DstIP: h.Dst.AsSlice(),
	}
}

func TestReadsOraclesNeighborSolicitations(t *testing.T) {
	r := newMaker(28)
	for range oracleRounds {
		ip, target, mac := r.ipv6(wire.ProtocolICMPv6), r.ip6(), r.mac()
		i := theirIPv6(ip)
		c := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(layers.ICMPv6TypeNeighborSolicitation, 0)}
		want(t, "error", c.SetNetworkLayerForChecksum(i), nil)
		frame := encode(t, i, c, &layers.ICMPv6NeighborSolicitation{
			TargetAddress: target.AsSlice(),
			Options:       layers.ICMPv6Options{{Type: layers.ICMPv6OptSourceAddress, Data: mac[:]}},
		})
		h, rest, err := wire.ParseIPv6(frame)
		want(t, "error", err, nil)
		m, payload, err := wire.ParseICMPv6(h.Src, h.Dst, rest)
		want(t, "error", err, nil)
		n, err := wire.ParseNeighborMessage(&m, payload)
		want(t, "error", err, nil)
		want(t, "target", n.Target, target)
		got, ok := wire.FindNDPOption(n.Options, wire.SourceLinkAddress).LinkAddress()
		want(t, "has a link address", ok, true)
		want(t, "link address", got, mac)
	}
}

func TestReadsOraclesListenerQueries(t *testing.T) {
	r := newMaker(29)
	for range oracleRounds {
		ip, group := r.ipv6(wire.ProtocolICMPv6), r.ip6()
		i := theirIPv6(ip)
		c := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(layers.ICMPv6TypeMLDv1MulticastListenerQueryMessage, 0)}
		want(t, "error", c.SetNetworkLayerForChecksum(i), nil)
		q := &layers.MLDv2MulticastListenerQueryMessage{
			MaximumResponseCode: uint16(r.IntN(32768)), MulticastAddress: group.AsSlice(), SuppressRoutersideProcessing: r.bit(),
			QueriersRobustnessVariable: r.u8() & 7, QueriersQueryIntervalCode: r.u8(),
		}
		h, rest, err := wire.ParseIPv6(encode(t, i, c, q))
		want(t, "error", err, nil)
		m, payload, err := wire.ParseICMPv6(h.Src, h.Dst, rest)
		want(t, "error", err, nil)
		got, err := wire.ParseListenerQuery(&m, payload)
		want(t, "error", err, nil)
		want(t, "group", got.Group, group)
		want(t, "delay", got.MaxResponse, time.Duration(q.MaximumResponseCode)*time.Millisecond)
		want(t, "suppress", got.Suppress, q.SuppressRoutersideProcessing)
		want(t, "robustness", got.Robustness, q.QueriersRobustnessVariable)
		want(t, "interval", got.Interval, q.QQI())
	}
}
