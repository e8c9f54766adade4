package stack

import (
	"testing"

	"hubbub/wire"
)

// What TCP refuses of IPv6's own addresses, of which IPv4 has no likes; all else
// is tested over both.

// RFC 9293, 3.9.2.3: "a TCP implementation MUST silently discard an incoming
// SYN segment that is addressed to a broadcast or multicast address"
// (MUST-57).
func TestASYNToAGroupOfIPv6IsDiscarded(t *testing.T) {
	for _, dst := range []string{"ff02::1", "ff02::1:ff00:10"} {
		m := newHost6(t)
		m.listensTCP("[::]:80", 5)
		m.hears6(segment("["+peer6+"]:1000", "["+dst+"]:80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 100}, "").six())
		m.sendsNothing()
		m.discards(discardBroadcastTCP)
	}
}

// RFC 9293, 3.9.2.3: "An incoming SYN with an invalid source address MUST be
// ignored either by TCP or by the IP layer (MUST-63)".
func TestASYNFromNobodyOverIPv6IsIgnored(t *testing.T) {
	for _, src := range []string{"ff02::1", "::1", own6, "::ffff:172.16.10.11", "::"} {
		m := newHost6(t)
		l := m.listensTCP("["+own6+"]:80", 5)
		p := segment("["+src+"]:1000", "["+own6+"]:80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 100}, "").six()
		m.hears6(p)
		p.body = append([]byte{byte(wire.ProtocolTCP), 0, 1, 4, 0, 0, 0, 0}, p.body...) // behind an option
		p.ip.NextHeader = wire.ProtocolHopByHop
		m.hears6(p)
		m.sendsNothing()
		m.discards(discardMartianSource, discardMartianSource)
		if n := l.Listener().HalfOpen(); n != 0 {
			t.Errorf("from %s: %d connections are half open", src, n)
		}
	}
}

// RFC 9293, 3.9.1.1: "A TCP implementation MUST reject as an error a local
// OPEN call for an invalid remote IP address (e.g., a broadcast or multicast
// address)" (MUST-46).
func TestConnectingToAGroupOfIPv6(t *testing.T) {
	for _, dst := range []string{"[ff02::1]:80", "[ff02::1%eth0]:80", "[ff0e::5]:80"} {
		m := newHost6(t)
		m.wantError(dst, m.NewTCP().Connect(m.now, at(dst)), ErrNetUnreachable)
		m.sendsNothing()
	}
}
