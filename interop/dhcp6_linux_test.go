//go:build linux

package interop_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hubbub"
	"hubbub/internal/need"
)

// dnsmasq advertises itself as a router and gives out addresses and names: a
// hubbub host gets all of them, and its resolver finds what dnsmasq knows, by
// datagrams and, what is too long for one, by TCP.
func TestDnsmasqGivesAddressesAndNames(t *testing.T) {
	need.Command(t, "dnsmasq")
	for _, stateless := range []bool{false, true} {
		k := newKernel6(t)
		pool := "2001:db8:77::1000,2001:db8:77::1fff,64,1h"
		if stateless {
			pool = "2001:db8:77::,ra-stateless,64,1h"
		}
		args := []string{
			"--no-daemon", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--user=root", "--log-dhcp",
			"--dhcp-leasefile=" + filepath.Join(t.TempDir(), "leases"), "--interface=hubbub0", "--bind-dynamic", "--enable-ra",
			"--ra-param=hubbub0,4,600", "--dhcp-range=" + pool, "--dhcp-option=option6:dns-server,[2001:db8:77::1]",
			"--dhcp-option=option6:domain-search,lab.test", "--domain=lab.test", "--local=/lab.test/",
			"--host-record=shop.lab.test,10.1.2.3,2001:db8:77::80", "--cname=store.lab.test,shop.lab.test",
		}
		for n := range 60 {
			args = append(args, fmt.Sprintf("--host-record=many.other.test,10.9.0.%d", n))
		}
		daemon := k.command("dnsmasq", args...)
		var said strings.Builder
		daemon.Stderr = &said
		if err := daemon.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			daemon.Process.Kill()
			daemon.Wait()
			if t.Failed() {
				t.Logf("dnsmasq says:\n%s", said.String())
			}
		})
		h := k.host("guest", hubbub.Autoconfigure())
		k.until("the host has an address and a server of names", func() bool {
			a := h.Addresses()
			return len(a) > 1 && a[len(a)-1].State == "preferred" && len(h.NameServers()) > 0
		})
		got := h.Addresses()[1].Prefix
		if given := netip.MustParsePrefix("2001:db8:77::1000/116").Contains(got.Addr()); given == stateless || given && got.Bits() != 128 {
			t.Errorf("stateless: %v; the address is %v", stateless, got)
		}
		if servers := fmt.Sprint(h.NameServers()); !strings.HasPrefix(servers, "[2001:db8:77::1") {
			t.Errorf("the name servers are %s", servers)
		}
		for name, want := range map[string]string{
			"shop": "[2001:db8:77::80 10.1.2.3]", "shop.lab.test": "[2001:db8:77::80 10.1.2.3]", "store": "[2001:db8:77::80 10.1.2.3]",
		} {
			addrs, err := h.Resolver().LookupHost(context.Background(), name)
			if fmt.Sprint(addrs) != want {
				t.Errorf("%s is %v, %v; want %s", name, addrs, err, want)
			}
		}
		if addrs, err := h.Resolver().LookupHost(context.Background(), "many.other.test"); len(addrs) != 16 {
			t.Errorf("many: %d, %v; want 16", len(addrs), err)
		}
		if addrs, err := h.Resolver().LookupHost(context.Background(), "nobody"); err == nil || !strings.Contains(err.Error(), "no such host") {
			t.Errorf("nobody is %v, %v", addrs, err)
		}
		if reply, err := h.Ping(context.Background(), "2001:db8:77::1", hubbub.PingTimeout(5*time.Second)); err != nil {
			t.Errorf("ping: %+v, %v", reply, err)
		}
	}
}

// dhclient gets an address from hubbub's router, and with it the servers and
// domains of names; when it gives the address back, nobody has it any more.
func TestDhclientIsGivenAnAddress(t *testing.T) {
	need.Command(t, "dhclient")
	k := newKernelOn(t, "2001:db8:77::/64", []hubbub.LANOption{
		hubbub.AddressesByDHCP(), hubbub.NameServers(netip.MustParseAddr("2001:db8:77::53")), hubbub.SearchDomains("lab.test", "test"),
	})
	k.network.Router("gateway", k.lan)
	k.until("the kernel's link-local address is its own", func() bool {
		out, err := k.run("ip", "-6", "-o", "address", "show", "dev", "hubbub0", "scope", "link", "-tentative")
		return err == nil && strings.Contains(out, "fe80::")
	})
	dir := t.TempDir()
	leases := filepath.Join(dir, "leases")
	args := []string{"-6", "-1", "-v", "-lf", leases, "-pf", filepath.Join(dir, "pid"), "-sf", "/bin/true", "hubbub0"}
	out, err := k.run("dhclient", args...)
	if err != nil {
		t.Fatalf("dhclient: %v\n%s", err, out)
	}
	b, err := os.ReadFile(leases)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"iaaddr 2001:db8:77::1", "preferred-life 3600;", "max-life 7200;", "option dhcp6.name-servers 2001:db8:77::53;", `option dhcp6.domain-search "lab.test.", "test.";`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the lease lacks %q:\n%s", want, b)
		}
	}
	if out, err := k.run("dhclient", append([]string{"-r"}, args...)...); err != nil || !strings.Contains(out, "Release") {
		t.Errorf("giving the address back: %v\n%s", err, out)
	}
}
