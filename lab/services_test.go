package lab

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"hubbub"
)

// What a lab file says of a LAN's switch and routers is what the network does.
func TestServicesOfALAN(t *testing.T) {
	l := `
lans:
  room: {subnet: "172.16.10.0/24, 2001:db8:10::/64", snooping: true, ra-guard: true, dns: [gateway, "172.16.10.53"], domain: [lab.test, test], dhcpv6: stateful}
hosts:
  nick: {address: "172.16.10.10, auto"}
  feige: {}
routers:
  gateway: {lans: [room]}
scenario:
  - on gateway: serve names :53
  - wait: 15s
  - on nick: ping feige
  - on feige: ping gateway
`
	c, err := Parse("services.yaml", []byte(l))
	if err != nil {
		t.Fatal(err)
	}
	room := c.lan("room")
	if got := fmt.Sprint(room.NameServers, room.Domains, room.DHCPv6, room.Snooping, room.Guard); got !=
		"[2001:db8:10::1 172.16.10.1 172.16.10.53] [lab.test test]statefultrue true" {
		t.Errorf("the LAN is %s", got)
	}
	if zone := c.zoneOf("gateway"); zone != "lab.test" {
		t.Errorf("the gateway is the authority for %q", zone)
	}
	shown, err := c.Show()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"names are asked of 2001:db8:10::1 172.16.10.1 172.16.10.53, in lab.test and test\n", "DHCPv6 gives out addresses",
		"looks into IGMP and MLD", "drops router advertisements",
	} {
		if !strings.Contains(shown, line) {
			t.Errorf("hubbub show lacks %q:\n%s", line, shown)
		}
	}
	result, err := Run(context.Background(), c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Failures {
		t.Errorf("%s", f.String())
	}
	if err := c.OverIPv6(); err != nil {
		t.Fatal(err)
	}
	n := hubbub.New(hubbub.Virtual())
	defer n.Close()
	if err := c.Build(n); err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(n.Lookup("feige").NameServers()); got != "[2001:db8:10::1 172.16.10.53]" {
		t.Errorf("over IPv6 the servers are %s", got)
	}
}
