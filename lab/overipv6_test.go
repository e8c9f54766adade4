package lab_test

import (
	"context"
	"strings"
	"testing"

	"hubbub/lab"
)

// What isn't about IPv4 itself goes over IPv6 as well: each machine keeps its
// number, in a subnet of IPv6.
func TestOverIPv6(t *testing.T) {
	c := parse(t, `
lans: {room1: {subnet: 172.16.10.0/24}, room2: {subnet: 172.16.11.0/24}}
hosts:
  nick:  {lan: room1, address: 172.16.10.10}
  wang:  {lan: room2, address: 172.16.11.200}
routers:
  gateway: {lans: [room1, room2]}
scenario:
  - on wang: serve upper :8080
  - on nick: send hello to wang:8080 expect HELLO
  - on nick: send hello to 172.16.11.200:8080 expect HELLO
  - on nick: ping wang
  - expect: {nick: {knows: gateway}, wang: {received: hello}}
`)
	if err := c.OverIPv6(); err != nil {
		t.Fatal(err)
	}
	names := c.AddressNames()
	result, err := lab.Run(context.Background(), c, lab.Options{Names: names})
	if err != nil || len(result.Failures) > 0 {
		t.Errorf("%v, %v", err, result.Failures)
	}
	var all []string
	for addr, name := range names {
		if !addr.IsLinkLocalUnicast() {
			all = append(all, name+" "+addr.String())
		}
	}
	text := strings.Join(all, ", ")
	for _, want := range []string{"nick 2001:db8:10::10", "wang 2001:db8:11::200", "gateway 2001:db8:10::1", "gateway 2001:db8:11::1"} {
		if !strings.Contains(text, want) {
			t.Errorf("the addresses are %s: there is no %s", text, want)
		}
	}
}

func TestWhatIsAboutIPv4StaysThere(t *testing.T) {
	c := parse(t, `
lans: {room: {subnet: 172.16.10.0/24}}
hosts: {nick: {lan: room}, feige: {lan: room}}
scenario:
  - on nick: shout fire to everyone:9
`)
	err := c.OverIPv6()
	if err == nil || !strings.Contains(err.Error(), "about IPv4 itself") {
		t.Errorf("%v, want that it is about IPv4 itself", err)
	}
}

func parse(t *testing.T, text string) *lab.Config {
	t.Helper()
	c, err := lab.Parse("lab.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
