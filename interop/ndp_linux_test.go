//go:build linux

package interop_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hubbub"
	"hubbub/event"
	"hubbub/internal/need"
	"hubbub/wire"
)

// What others' tools of neighbour discovery make of hubbub, and hubbub of them:
// radvd's advertisements, ndisc6's questions, and the malformed and hostile packets
// of the IPv6 toolkit.

const radvdConfig = `
interface hubbub0 {
	AdvSendAdvert on;
	MinRtrAdvInterval 3;
	MaxRtrAdvInterval 4;
	AdvLinkMTU 1400;
	AdvCurHopLimit 77;
	AdvDefaultPreference high;
	prefix 2001:db8:77::/64 { AdvOnLink on; AdvAutonomous on; AdvValidLifetime 86400; AdvPreferredLifetime 14400; };
	prefix 2001:db8:88::/64 { AdvOnLink off; AdvAutonomous on; AdvValidLifetime 86400; AdvPreferredLifetime 14400; };
	RDNSS 2001:db8:77::53 fe80::53 { AdvRDNSSLifetime 600; };
	DNSSL lab.test room.lab.test { AdvDNSSLLifetime 600; };
};
`

// radvd starts the daemon in the kernel's namespace, and returns what ends it.
func (k *kernel) radvd() (stop func()) {
	k.t.Helper()
	dir := k.t.TempDir()
	config, pid := filepath.Join(dir, "radvd.conf"), filepath.Join(dir, "radvd.pid")
	if err := os.WriteFile(config, []byte(radvdConfig), 0o644); err != nil {
		k.t.Fatal(err)
	}
	daemon := k.command("radvd", "--nodaemon", "--config", config, "--pidfile", pid, "--logmethod", "stderr", "--username", "root")
	var said strings.Builder
	daemon.Stderr = &said
	if err := daemon.Start(); err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() {
		daemon.Process.Kill()
		daemon.Wait()
		if k.t.Failed() {
			k.t.Logf("radvd says:\n%s", said.String())
		}
	})
	return func() {
		k.t.Helper()
		if err := daemon.Process.Signal(os.Interrupt); err != nil {
			k.t.Fatal(err)
		}
		daemon.Wait()
	}
}

// radvd configures a hubbub host: addresses from both prefixes, the one that is on
// the link and the other, the default route, the MTU, the hop limit, the servers
// and domains of names. When it ends, it says that it is a router no longer.
func TestRadvdConfiguresAHost(t *testing.T) {
	need.Command(t, "radvd")
	k := newKernel6(t)
	beyond := netip.MustParseAddr("2001:db8:99::9")
	k.must("-n", k.namespace, "address", "add", beyond.String()+"/128", "dev", "lo")
	for _, setting := range []string{"all/forwarding=1", "all/accept_ra=0"} {
		name, value, _ := strings.Cut(setting, "=")
		if out, err := k.run("sh", "-c", "echo "+value+" > /proc/sys/net/ipv6/conf/"+name); err != nil {
			t.Fatalf("%s: %v\n%s", setting, err, out)
		}
	}
	k.must("-n", k.namespace, "route", "add", "2001:db8:88::/64", "dev", "hubbub0")
	stop := k.radvd()
	h := k.host("guest", hubbub.Autoconfigure())
	k.until("the host has three addresses", func() bool {
		n := 0
		for _, a := range h.Addresses() {
			if a.State == "preferred" {
				n++
			}
		}
		return n == 3
	})
	var prefixes []string
	for _, a := range h.Addresses()[1:] {
		prefixes = append(prefixes, a.Prefix.Masked().String())
	}
	if got := strings.Join(prefixes, " "); got != "2001:db8:77::/64 2001:db8:88::/64" {
		t.Errorf("its addresses are of %s", got)
	}
	if got := fmt.Sprint(h.NameServers()); got != "[2001:db8:77::53 fe80::53%eth0]" {
		t.Errorf("the name servers are %s", got)
	}
	connected := map[string]bool{}
	for _, r := range h.Routes() {
		connected[r.Prefix.String()] = !r.NextHop.IsValid()
		if r.Prefix.Bits() == 0 && r.Metric != 512 {
			t.Errorf("the default route has the metric %d, want 512 for a preferred router", r.Metric)
		}
	}
	if !connected["2001:db8:77::/64"] || connected["2001:db8:88::/64"] {
		t.Errorf("the prefixes on the link are %v", connected)
	}
	heads := make(map[string]bool) // hop limits and lengths; the network's lock guards it
	k.network.Watch(func(e *event.Event) {
		f, ok := e.Body.(event.FrameSent)
		if !ok || e.Node != "guest" {
			return
		}
		if p, _, err := wire.ParseIPv6(f.Data[wire.EthernetHeaderLen:]); err == nil && p.Dst == beyond {
			heads[fmt.Sprint(p.HopLimit, " ", wire.IPv6HeaderLen+p.PayloadLen)] = true
		}
	})
	reply, err := h.Ping(context.Background(), beyond.String(), hubbub.PingTimeout(5*time.Second), hubbub.PingSize(1600))
	if err != nil {
		t.Errorf("by the default router: %+v, %v", reply, err)
	}
	h.Addresses() // after what was noted
	if !heads["77 1400"] || len(heads) != 2 {
		t.Errorf("the packets have these hop limits and lengths: %v, want 77 and 1400, and a rest", heads)
	}
	stop()
	k.until("the router is gone", func() bool {
		for _, r := range h.Routes() {
			if r.Prefix.Bits() == 0 {
				return false
			}
		}
		return true
	})
}

// ndisc6, rdisc6 and tracert6 get sane answers.
func TestNdisc6ToolsAreAnswered(t *testing.T) {
	need.Command(t, "ndisc6")
	b := newLinkOfBoth(t)
	for _, c := range []struct {
		what, want string
		args       []string
	}{
		{"a neighbour", `Target link-layer address: ` + strings.ToUpper(b.near.MAC().String()), []string{"ndisc6", "-1", b.near.Addr().String(), "hubbub0"}},
		{"nobody", `Timed out|No response`, []string{"ndisc6", "-1", "-r", "1", "2001:db8:77::dead", "hubbub0"}},
		{
			"a router", `(?s)Hop limit +: +64 .*Stateful address conf\. +: +No\n.*Stateful other conf\. +: +No\n.*Router lifetime +: +1800 ` +
				`.*Prefix +: +2001:db8:77::/64\n.*On-link +: +Yes\n.*Autonomous address conf\.: +Yes`,
			[]string{"rdisc6", "-1", "hubbub0"},
		},
		{"the way to a host", `(?s)1 +2001:db8:77::1 .*\n *2 +` + b.far.Addr().String() + ` `, []string{"tracert6", "-n", "-q", "1", b.far.Addr().String()}},
		{"the way with echo requests", `(?s)1 +2001:db8:77::1 .*\n *2 +` + b.far.Addr().String() + ` `, []string{"tracert6", "-I", "-n", "-q", "1", b.far.Addr().String()}},
	} {
		want := regexp.MustCompile(c.want)
		b.until(c.what+": "+c.want, func() bool { // routers are limited in how often they answer
			out, err := b.run(c.args[0], c.args[1:]...)
			if !want.MatchString(out) {
				t.Logf("%s: %v: %v\n%s", c.what, c.args, err, out)
				return false
			}
			return true
		})
	}
}

// newKernel6 is a kernel at 2001:db8:77::1 on a LAN that has no other router.
func newKernel6(t *testing.T) *kernel {
	k := newKernelOn(t, "2001:db8:77::/64", nil)
	k.must("-n", k.namespace, "address", "add", "2001:db8:77::1/64", "dev", "hubbub0", "nodad")
	return k
}

// echoing is a connection from the kernel to a server on a host, which sends back
// what it hears.
type echoing struct {
	t *testing.T
	net.Conn
}

func (b *linkOfBoth) echoing(h *hubbub.Host) *echoing {
	b.t.Helper()
	ln := mustListen(b.t, h, ":7")
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	b.t.Cleanup(func() { ln.Close() })
	c, err := b.dial("tcp6", netip.AddrPortFrom(h.Addr(), 7).String())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return &echoing{b.t, c}
}

// works checks that what is sent comes back.
func (e *echoing) works(after string) {
	e.t.Helper()
	e.SetDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 5)
	if _, err := io.WriteString(e, "hello"); err != nil {
		e.t.Fatalf("after %s: writing: %v", after, err)
	}
	if _, err := io.ReadFull(e, b); err != nil || string(b) != "hello" {
		e.t.Fatalf("after %s: %q, %v comes back", after, b, err)
	}
}

// The IPv6 toolkit's malformed and hostile packets do no harm: connections go on,
// who is asked for is found, and no table grows without bounds.
func TestIPv6ToolkitDoesNoHarm(t *testing.T) {
	need.Command(t, "frag6")
	b := newLinkOfBoth(t)
	guest := b.host("guest", hubbub.Autoconfigure())
	near, router := b.near.Addr().String(), "2001:db8:77::1"
	conns := []*echoing{b.echoing(b.near), b.echoing(b.far)}
	stranger := []string{"-s", "2001:db8:77::bad"}
	attacks := [][]string{
		// Neighbour discovery in fragments (RFC 6980), behind options, with options
		// that can't be, from groups and from nobody.
		{"ns6", "-i", "hubbub0", "-d", near, "-t", near, "-y", "8", "-e"},
		{"ns6", "-i", "hubbub0", "-d", near, "-t", near, "-u", "1024", "-H", "64", "-e"},
		{"ns6", "-i", "hubbub0", "-d", near, "-t", near, "-s", "ff02::1", "-e"},
		{"ns6", "-i", "hubbub0", "-d", near, "-t", near, "-s", "::", "-e"},
		{"ns6", "-i", "hubbub0", "-d", near, "-t", "ff02::1", "-e"},
		{"ns6", "-i", "hubbub0", "-d", near, "-t", near, "-E", "ff:ff:ff:ff:ff:ff"},
		{"ns6", "-i", "hubbub0", "-d", near, "-t", near, "-F", "3000", "-e"},
		{"ns6", "-i", "hubbub0", "-d", "ff02::1:ff00:2", "-T", "500"},
		{"na6", "-i", "hubbub0", "-d", near, "-t", near, "-c", "-o", "-e"},
		{"na6", "-i", "hubbub0", "-d", near, "-t", "2001:db8:77::b0", "-c", "-r", "-o", "-E", "02:aa:aa:aa:aa:aa"},
		{"na6", "-i", "hubbub0", "-d", near, "-F", "3000", "-t", "2001:db8:77::b0", "-E", "ff:ff:ff:ff:ff:ff"},
		{"na6", "-i", "hubbub0", "-d", "ff02::1", "-T", "3000", "-o", "-e"},
		{"na6", "-i", "hubbub0", "-d", near, "-t", "2001:db8:77::b0", "-y", "8", "-e"},
		// Solicitations of routers, and advertisements and redirects of who is none.
		{"rs6", "-i", "hubbub0", "-d", "ff02::2", "-F", "500", "-e"},
		{"rs6", "-i", "hubbub0", "-d", "ff02::2", "-y", "8", "-e"},
		{"ra6", "-i", "hubbub0", "-d", near, "-s", "fe80::bad", "-F", "500", "-P", "2001:db8:bad::/64#LA", "-e"},
		{"ra6", "-i", "hubbub0", "-d", "ff02::1", "-F", "500", "-P", "2001:db8:bad::/64#LA", "-e"},
		{"ra6", "-i", "hubbub0", "-d", "ff02::1", "-s", "fe80::bad", "-f", "500", "-w", "50", "-W", "50", "-e"},
		{"ra6", "-i", "hubbub0", "-d", router, "-s", "fe80::bad", "-t", "0", "-M", "100", "-e"},
		{"rd6", "-i", "hubbub0", "-d", near, "-s", "fe80::bad", "-t", "fe80::bad", "-r", b.addr.String(), "-e"},
		// Fragments: alone, too many, overlapping, too long, atomic.
		append([]string{"frag6", "-i", "hubbub0", "-d", near, "-F", "3000"}, stranger...),
		{"frag6", "-i", "hubbub0", "-d", near, "-O", "first", "-P", "64"},
		{"frag6", "-i", "hubbub0", "-d", near, "-O", "last", "-P", "64"},
		{"frag6", "-i", "hubbub0", "-d", near, "-O", "middle", "-P", "64"},
		{"frag6", "-i", "hubbub0", "-d", near, "-O", "atomic", "-P", "64"},
		{"frag6", "-i", "hubbub0", "-d", near, "-X"},
		{"frag6", "-i", "hubbub0", "-d", near, "-p"},
		{"frag6", "-i", "hubbub0", "-d", router, "-p"},
		{"frag6", "-i", "hubbub0", "-d", b.far.Addr().String(), "-u", "2000", "-H", "1000", "-P", "100"},
		// Errors about what was never sent, jumbograms, segments from nobody.
		{"icmp6", "-i", "hubbub0", "-d", near, "-t", "2", "-m", "10", "-p", "TCP"},
		{"icmp6", "-i", "hubbub0", "-d", near, "-t", "4", "-m", "10", "-p", "TCP"},
		{"jumbo6", "-i", "hubbub0", "-d", near, "-q", "100000"},
		{"tcp6", "-i", "hubbub0", "-d", near, "-a", "7", "-X", "S", "-F", "3000"},
		{"udp6", "-i", "hubbub0", "-d", near, "-a", "53", "-F", "100"},
	}
	for _, attack := range attacks {
		text := strings.Join(attack, " ")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		path := need.Command(t, attack[0])
		args := append([]string{"netns", "exec", b.namespace, path}, attack[1:]...)
		out, _ := exec.CommandContext(ctx, b.ip, args...).CombinedOutput()
		cancel()
		if strings.Contains(string(out), "usage:") {
			t.Errorf("%s: it doesn't know what is meant:\n%s", text, out)
		}
		for _, c := range conns {
			c.works(text)
		}
		for _, h := range b.network.Hosts() {
			if n := len(h.Neighbors()); n > 1100 {
				t.Errorf("after %s %s knows %d neighbours", text, h.Name(), n)
			}
		}
	}
	if a, r := len(guest.Addresses()), len(guest.Routes()); a > 17 || r > 40 {
		t.Errorf("routers that are none have given a host %d addresses and %d routes", a, r)
	}
	for _, h := range []*hubbub.Host{b.near, b.far} {
		out, err := b.run("ping", "-6", "-n", "-c", "3", "-i", "0.2", "-W", "5", h.Addr().String())
		if !strings.Contains(out, "3 received") {
			t.Errorf("in the end %s doesn't answer pings: %v\n%s", h.Name(), err, out)
		}
		if reply, err := h.Ping(context.Background(), b.addr.String(), hubbub.PingTimeout(5*time.Second)); err != nil {
			t.Errorf("in the end %s can't ping: %+v, %v", h.Name(), reply, err)
		}
		t.Logf("%s discards %v", h.Name(), h.Discards())
	}
}
