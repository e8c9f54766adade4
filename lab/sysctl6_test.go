package lab

import (
	"context"
	"testing"
)

// The settings of IPv6 are a machine's like all others: in the file, and while the
// lab runs.
func TestSettingsOfIPv6(t *testing.T) {
	c, err := Parse("lab.yaml", []byte(`
lans:
  room: {subnet: "2001:db8:10::/64"}
hosts:
  nick: {address: auto, sysctl: {net.ipv6.conf.eth0.dad_transmits: 0, net/ipv6/conf/all/use_tempaddr: 2, bindv6only: 1}}
  feige: {}
routers:
  gateway: {lans: [room]}
scenario:
  - wait: 8s
  - on nick: ping feige
  - on feige: sysctl net.ipv6.conf.eth0.disable_ipv6 1
  - on nick: {ping: feige, timeout: 5s, fails: timeout}
`))
	if err != nil {
		t.Fatal(err)
	}
	result, err := Run(context.Background(), c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Failures {
		t.Errorf("%s", f.String())
	}
	for _, wrong := range []string{"net.ipv6.conf.eth0.nothing: 1", "net.ipv6.conf.eth0.accept_ra: 7", "net.ipv6.conf.eth0.mtu: 1279"} {
		_, err := Parse("lab.yaml", []byte("lans: {room: {subnet: \"2001:db8:10::/64\"}}\nhosts: {nick: {sysctl: {"+wrong+"}}}\n"))
		if err == nil {
			t.Errorf("%s is right", wrong)
		}
	}
}
