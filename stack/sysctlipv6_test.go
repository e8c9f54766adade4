package stack

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hubbub/network/autoconf"
	"hubbub/wire"
)

// The tests of this file say of each setting of IPv6 what Linux's ip-sysctl page
// says of it, in our words, and check that it is so.

// guest6 is a host that configures itself, with settings of its card.
func guest6(t *testing.T, settings ...string) *machine {
	t.Helper()
	m := newMachine(t, nil)
	m.card6(IPv6Config{Autoconfigure: true, FromMAC: true})
	for i := 0; i < len(settings); i += 2 {
		m.sysctl("net.ipv6.conf.eth0."+settings[i], settings[i+1])
	}
	return m
}

// asks returns how often the machine sends a message within a time.
func (m *machine) asksFor(what string, seconds float64) (n int) {
	m.t.Helper()
	m.passes(time.Duration(seconds * float64(time.Second)))
	for _, s := range m.sent {
		if strings.Contains(s.text, what) {
			n++
		}
	}
	m.sent = nil
	return n
}

// has checks the addresses of the card: their prefixes' lengths and states.
func (m *machine) has(want ...string) {
	m.t.Helper()
	var got []string
	for _, a := range m.Interfaces()[1].IPv6Addresses() {
		text := a.Prefix.String() + " " + a.State
		if a.Temporary {
			text = fmt.Sprint(a.Prefix.Masked(), " temporary ", a.State)
		}
		got = append(got, text)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		m.t.Errorf("it has %q, want %q", got, want)
	}
}

const (
	linkText   = "fe80::ff:fe00:10/64 preferred"
	globalText = "2001:db8:10::ff:fe00:10/64 preferred"
)

// advertised lets the machine hear a router, and passes the time that the
// detection of duplicates takes.
func (m *machine) advertised(a wire.RouterAdvert) {
	m.t.Helper()
	m.passes(3 * time.Second)
	m.hears6(routerSays(a, offers("2001:db8:10::/64")))
	m.passes(3 * time.Second)
	m.forget()
}

// disable_ipv6: the interface loses its addresses and says nothing; then it
// begins anew.
func TestSysctlDisableIPv6(t *testing.T) {
	m := guest6(t)
	m.advertised(wire.RouterAdvert{Lifetime: 1800})
	m.has(linkText, globalText)
	m.sysctl("net.ipv6.conf.all.disable_ipv6", "1")
	m.discards()
	if n := m.asksFor("", 100); n != 0 || m.UsesIPv6() {
		t.Errorf("it sends %d packets", n)
	}
	m.has()
	m.hears6(ping6(peer6, "2001:db8:10::ff:fe00:10", 1, 1, ""))
	m.discards(discardIPv6Off)
	e := m.NewUDP()
	m.wantError("sending", e.Send(m.now, view("x"), at("["+peer6+"]:9")), ErrNetUnreachable)
	m.sysctl("net.ipv6.conf.eth0.disable_ipv6", "0")
	m.advertised(wire.RouterAdvert{Lifetime: 1800})
	m.has(linkText, globalText)
}

// accept_ra: 0 asks for no router and heeds none, 1 does unless the machine
// forwards, 2 does even then.
func TestSysctlAcceptRA(t *testing.T) {
	for _, c := range []struct {
		accept, forwarding string
		heeds              bool
	}{{"0", "0", false}, {"1", "0", true}, {"1", "1", false}, {"2", "1", true}} {
		m := guest6(t, "accept_ra", c.accept)
		m.sysctl("net.ipv6.conf.all.forwarding", c.forwarding)
		if asked := m.asksFor("router solicitation", 10) > 0; asked != c.heeds {
			t.Errorf("%+v: asks for routers: %v", c, asked)
		}
		m.advertised(wire.RouterAdvert{Lifetime: 1800})
		if _, ok := m.routes.Lookup(ip(far6)); ok != c.heeds || len(m.Interfaces()[1].IPv6Addresses()) != 1+bit(c.heeds) {
			t.Errorf("%+v: a default route %v, addresses %v", c, ok, m.Interfaces()[1].IPv6Addresses())
		}
	}
}

// accept_ra_defrtr, accept_ra_pinfo, autoconf, accept_ra_mtu: what of an
// advertisement is heeded.
func TestSysctlWhatOfAdvertisementsIsHeeded(t *testing.T) {
	for key, want := range map[string]string{
		"": "router prefix address mtu", "accept_ra_defrtr": "prefix address mtu", "accept_ra_pinfo": "router mtu",
		"autoconf": "router prefix mtu", "accept_ra_mtu": "router prefix address",
	} {
		m := guest6(t)
		if key != "" {
			m.sysctl("net.ipv6.conf.eth0."+key, "0")
		}
		m.advertised(wire.RouterAdvert{Lifetime: 1800, Options: wire.AppendLinkMTU(nil, 1400)})
		var got []string
		if _, ok := m.routes.Lookup(ip(far6)); ok {
			got = append(got, "router")
		}
		if r, ok := m.routes.Lookup(ip(peer6)); ok && r.Prefix == prefix("2001:db8:10::/64") {
			got = append(got, "prefix")
		}
		if len(m.Interfaces()[1].IPv6Addresses()) == 2 {
			got = append(got, "address")
		}
		if m.Interfaces()[1].mtu6() == 1400 {
			got = append(got, "mtu")
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("without %s: %s, want %s", key, g, want)
		}
	}
}

// use_tempaddr: 1 has temporary addresses and prefers the public ones, 2 prefers
// the temporary ones. temp_valid_lft and temp_prefered_lft are their lifetimes.
func TestSysctlTemporaryAddresses(t *testing.T) {
	const temporary = "2001:db8:10::/64 temporary "
	for value, prefers := range map[string]string{"1": "public", "2": "temporary"} {
		m := guest6(t)
		m.advertised(wire.RouterAdvert{Lifetime: 1800})
		m.has(linkText, globalText)
		m.sysctl("net.ipv6.conf.eth0.temp_valid_lft", "2000")
		m.sysctl("net.ipv6.conf.eth0.temp_prefered_lft", "1000")
		m.sysctl("net.ipv6.conf.eth0.use_tempaddr", value)
		m.passes(3 * time.Second)
		m.has(linkText, globalText, temporary+"preferred")
		source := m.connects("[" + far6 + "]:80").Local().Addr()
		if is := source != netip.MustParseAddr("2001:db8:10::ff:fe00:10"); is != (prefers == "temporary") {
			t.Errorf("with %s the source is %v", value, source)
		}
		m.passes(1100 * time.Second)
		m.has(linkText, globalText, temporary+"deprecated", temporary+"preferred")
	}
}

// dad_transmits: so often it is asked whether anybody has an address.
func TestSysctlTransmits(t *testing.T) {
	for value, want := range map[string]int{"0": 0, "1": 1, "5": 5} {
		m := guest6(t, "dad_transmits", value)
		if n := m.asksFor("solicitation of fe80::ff:fe00:10", 20); n != want {
			t.Errorf("with %s the address is asked for %d times", value, n)
		}
		m.has(linkText)
	}
	m := guest6(t)
	m.passes(3 * time.Second)
	m.sysctl("net.ipv6.conf.eth0.dad_transmits", "3")
	m.hears6(routerSays(wire.RouterAdvert{Lifetime: 1800}, offers("2001:db8:10::/64")))
	if n := m.asksFor("solicitation of 2001:db8:10::ff:fe00:10", 20); n != 3 {
		t.Errorf("the next address is asked for %d times", n)
	}
}

// router_solicitations, router_solicitation_interval,
// router_solicitation_max_interval.
func TestSysctlRouterSolicitations(t *testing.T) {
	for _, c := range []struct {
		settings []string
		want     int
	}{
		{[]string{"router_solicitations", "0"}, 0},
		{[]string{"router_solicitations", "3"}, 3},
		{nil, 8}, // at 0, 4, 12, 28, 60, 124, 252, 508 s
		{[]string{"router_solicitation_interval", "1", "router_solicitation_max_interval", "10"}, 102},
	} {
		m := guest6(t, c.settings...)
		if n := m.asksFor("router solicitation", 1000); n < c.want-c.want/20 || n > c.want+c.want/20 {
			t.Errorf("%q: %d solicitations, want %d", c.settings, n, c.want)
		}
	}
}

// max_addresses: so many the interface makes itself, the link-local one included.
func TestSysctlMaxAddresses(t *testing.T) {
	for value, want := range map[string]int{"2": 2, "16": 16, "0": 21} {
		m := guest6(t, "max_addresses", value)
		m.advertised(wire.RouterAdvert{Lifetime: 1800})
		for n := range 19 {
			m.hears6(routerSays(wire.RouterAdvert{Lifetime: 1800}, offers(fmt.Sprintf("2001:db8:%x::/64", 0x100+n))))
		}
		if n := len(m.Interfaces()[1].IPv6Addresses()); n != want {
			t.Errorf("with %s there are %d addresses, want %d", value, n, want)
		}
	}
}

// hop_limit and mtu hold until a router advertises others; the time to live of
// IPv4 is another matter.
func TestSysctlHopLimitAndMTU(t *testing.T) {
	m := guest6(t)
	m.sysctl("ip_default_ttl", "9")
	m.advertised(wire.RouterAdvert{Lifetime: 1800})
	sends := func() (hops uint8, longest int) {
		e := m.NewUDP()
		m.ok("send", e.Send(m.now, view(strings.Repeat("x", 3000)), at("["+peer6+"]:9")))
		m.drain()
		for _, s := range m.sent {
			if h, _, err := wire.ParseIPv6(s.raw); err == nil {
				hops, longest = h.HopLimit, max(longest, len(s.raw))
			}
		}
		m.forget()
		return hops, longest
	}
	m.knowIPv6(m.Interfaces()[1], prefix("2001:db8:10::/64"))
	if hops, longest := sends(); hops != 64 || longest != 1496 {
		t.Errorf("the hop limit is %d, the longest packet %d octets", hops, longest)
	}
	m.sysctl("net.ipv6.conf.eth0.hop_limit", "33")
	m.sysctl("net.ipv6.conf.eth0.mtu", "1280")
	if hops, longest := sends(); hops != 33 || longest != 1280 {
		t.Errorf("after they were set the hop limit is %d, the longest packet %d octets", hops, longest)
	}
	m.hears6(routerSays(wire.RouterAdvert{Lifetime: 1800, HopLimit: 44, Options: wire.AppendLinkMTU(nil, 1400)}))
	if hops, longest := sends(); hops != 44 || longest != 1400 {
		t.Errorf("after an advertisement the hop limit is %d, the longest packet %d octets", hops, longest)
	}
	m.reads("net.ipv6.conf.eth0.hop_limit", "44")
	m.reads("net.ipv6.conf.eth0.mtu", "1400")
}

// forwarding: a router neither heeds routers nor redirects, says that it is one,
// and passes packets on; IPv4's ip_forward is another matter.
func TestSysctlForwardingOfIPv6(t *testing.T) {
	m := newHost6(t)
	m.card6(IPv6Config{Addresses: []netip.Prefix{prefix("2001:db8:11::10/64")}})
	m.passes(3 * time.Second)
	m.forget()
	passing := ping6("2001:db8:10::12", "2001:db8:11::13", 1, 1, "x")
	m.sysctl("ip_forward", "1")
	m.discards()
	m.hears6(passing)
	m.discards(discardOtherAddress)
	m.sysctl("net.ipv6.conf.all.forwarding", "1")
	m.passes(3 * time.Second)
	m.knowIPv6(m.Interfaces()[2], prefix("2001:db8:11::10/64"))
	m.forget()
	m.hears6(passing)
	m.sends(`by eth1: 2001:db8:10::12 > 2001:db8:11::13: echo request 1/1 "x"`)
	m.hears6(solicits(peer6, own6, own6, 11))
	m.sends("2001:db8:10::10 > 2001:db8:10::11: neighbor advertisement of 2001:db8:10::10 router solicited override")
}

// accept_redirects.
func TestSysctlAcceptRedirects(t *testing.T) {
	for value, heeds := range map[string]bool{"1": true, "0": false} {
		m := newHost6(t)
		m.sysctl("net.ipv6.conf.all.accept_redirects", value)
		r := wire.RedirectMessage{Target: ip("fe80::2"), Dst: ip(far6)}
		h, payload := r.Message(nil)
		m.hears6(ndpMessage("fe80::1", own6, h, payload))
		if hop, _ := m.routes.Lookup(ip(far6)); (hop.NextHop == ip("fe80::2")) != heeds {
			t.Errorf("with %s packets go to %v", value, hop.NextHop)
		}
	}
}

// addr_gen_mode and stable_secret: how addresses are made.
func TestSysctlAddressGeneration(t *testing.T) {
	made := func(settings ...string) string {
		m := guest6(t, settings...)
		m.advertised(wire.RouterAdvert{Lifetime: 1800})
		var all []string
		for _, a := range m.Interfaces()[1].IPv6Addresses() {
			all = append(all, a.Prefix.Addr().String())
		}
		return strings.Join(all, " ")
	}
	byMAC := made("addr_gen_mode", "0")
	if byMAC != "fe80::ff:fe00:10 2001:db8:10::ff:fe00:10" {
		t.Errorf("from the MAC address: %s", byMAC)
	}
	if none := made("addr_gen_mode", "1"); none != "" {
		t.Errorf("with 1: %s", none)
	}
	one, again, other := made("stable_secret", "2001:db8::1"), made("stable_secret", "2001:db8::1"), made("stable_secret", "2001:db8::2")
	if one != again || one == other || one == byMAC || strings.Count(one, " ") != 1 {
		t.Errorf("from secrets: %s, %s and %s", one, again, other)
	}
	if own := made("addr_gen_mode", "3"); own == byMAC || own == one || strings.Count(own, " ") != 1 {
		t.Errorf("from the machine's own secret: %s", own)
	}
	m := guest6(t, "stable_secret", "2001:db8::1")
	m.reads("net.ipv6.conf.eth0.addr_gen_mode", "2")
	m.reads("net.ipv6.conf.eth0.stable_secret", "2001:db8::1")
	if err := m.SetSysctl("net.ipv6.conf.eth0.stable_secret", "secret"); err == nil || !strings.Contains(err.Error(), "2001:db8::1") {
		t.Errorf("a secret that is none: %v", err)
	}
}

// icmp.echo_ignore_all and icmp.echo_ignore_multicast; IPv4's are other settings.
func TestSysctlPingsOverIPv6(t *testing.T) {
	m := newHost6(t)
	m.sysctl("icmp_echo_ignore_all", "1")
	m.hears6(ping6(peer6, own6, 1, 1, "x"))
	m.sends(`2001:db8:10::10 > 2001:db8:10::11: echo reply 1/1 "x"`)
	m.sysctl("net.ipv6.icmp.echo_ignore_multicast", "1")
	m.hears6(ping6("fe80::11", "ff02::1", 1, 2, "x"))
	m.hears6(ping6(peer6, own6, 1, 3, "x"))
	m.sends(`2001:db8:10::10 > 2001:db8:10::11: echo reply 1/3 "x"`)
	m.sysctl("icmp.echo_ignore_all", "1")
	m.hears6(ping6(peer6, own6, 1, 4, "x"))
	m.sendsNothing()
}

// auto_flowlabels.
func TestSysctlFlowLabels(t *testing.T) {
	for value, labelled := range map[string]bool{"0": false, "1": true, "2": false, "3": true} {
		m := newHost6(t)
		m.sysctl("net.ipv6.auto_flowlabels", value)
		m.connects("[" + peer6 + "]:80")
		h, _, err := wire.ParseIPv6(m.sent[0].raw)
		if m.ok("the packet", err); (h.FlowLabel != 0) != labelled {
			t.Errorf("with %s the label is %#x", value, h.FlowLabel)
		}
	}
}

// ip6frag_time and ip6frag_high_thresh.
func TestSysctlFragmentsOfIPv6(t *testing.T) {
	m := newHost6(t)
	m.sysctl("ip6frag_time", "5")
	piece := func(id uint32) packet6 {
		return fragment6(peer6, own6, wire.Fragment{NextHeader: wire.ProtocolUDP, More: true, ID: id}, make([]byte, 1000))
	}
	m.hears6(piece(1))
	m.passes(5*time.Second - 1)
	m.sendsNothing()
	m.passes(1)
	m.sends("2001:db8:10::10 > 2001:db8:10::11: fragment reassembly time exceeded, about 2001:db8:10::11 > 2001:db8:10::10")
	m.sysctl("ip6frag_high_thresh", "4000")
	for id := range uint32(10) {
		m.hears6(piece(10 + id))
	}
	if n := m.reassembly6.Bytes(); n > 4000 {
		t.Errorf("fragments take %d octets", n)
	}
}

// A setting of "all" is one of each interface, and of those that are made later;
// one of "default" is of the latter alone.
func TestSysctlOfAllInterfaces(t *testing.T) {
	m := newHost6(t)
	m.sysctl("net.ipv6.conf.default.hop_limit", "11")
	m.sysctl("net.ipv6.conf.all.mtu", "1300")
	m.card6(IPv6Config{})
	for name, want := range map[string]string{
		"eth0.hop_limit": "64", "eth1.hop_limit": "11", "eth0.mtu": "1300", "eth1.mtu": "1300", "default.mtu": "1300", "all.mtu": "1300",
	} {
		m.reads("net.ipv6.conf."+name, want)
	}
	found := 0
	for _, s := range m.Sysctls() {
		if strings.HasPrefix(s.Name, "net.ipv6.conf.eth") {
			found++
		}
	}
	if found != 2*len(keys6) {
		t.Errorf("%d settings of interfaces are listed", found)
	}
	for _, wrong := range []string{"net.ipv6.conf.eth7.mtu", "net.ipv6.conf.eth0.nothing", "net.ipv6.conf.mtu", "net.ipv6.conf.eth0"} {
		if _, err := m.FindSysctl(wrong); err == nil {
			t.Errorf("there is %s", wrong)
		}
	}
	m.Restart(m.now)
	m.Boot(m.now)
	m.reads("net.ipv6.conf.eth1.mtu", "1300")
	if m.Interfaces()[2].mtu6() != 1300 {
		t.Error("after a restart the MTU is the link's")
	}
	if CheckSysctl("net.ipv6.conf.eth3.accept_ra", "2") != nil || CheckSysctl("net.ipv6.conf.eth3.accept_ra", "3") == nil {
		t.Error("a machine's settings aren't checked before there is the machine")
	}
}

// The settings are those that the interface was started with.
func TestSysctlsTellHowIPv6WasStarted(t *testing.T) {
	m := newMachine(t, nil)
	m.card6(IPv6Config{Autoconfigure: true, FromMAC: true, Temporary: true})
	m.card6(IPv6Config{LinkLocal: ip(link6), Advertise: new(autoconf.AdvertConfig)})
	for name, want := range map[string]string{
		"eth0.accept_ra": "1", "eth0.addr_gen_mode": "0", "eth0.use_tempaddr": "2",
		"eth1.accept_ra": "0", "eth1.addr_gen_mode": "3", "eth1.use_tempaddr": "0",
	} {
		m.reads("net.ipv6.conf."+name, want)
	}
}
