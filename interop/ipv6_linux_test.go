//go:build linux

package interop_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hubbub"
	"hubbub/edge"
	"hubbub/internal/need"
)

// A linkOfBoth is a LAN where the kernel configures itself by what hubbub's
// router advertises, and behind the router a host whose link takes no packet
// longer than 1280 octets.
type linkOfBoth struct {
	*kernel
	near, far *hubbub.Host
	addr      netip.Addr // the kernel's
}

func newLinkOfBoth(t *testing.T) *linkOfBoth {
	k := &kernel{t: t, ip: need.NetworkNamespaces(t)}
	k.sweep()
	k.namespace = fmt.Sprintf("hubbub-%d-%d", os.Getpid(), namespaces.Add(1))
	k.must("netns", "add", k.namespace)
	t.Cleanup(func() { k.must("netns", "delete", k.namespace) })
	tap, err := edge.OpenTAPIn(k.namespace, "hubbub0")
	if err != nil {
		t.Fatal(err)
	}
	k.network = hubbub.New()
	t.Cleanup(func() { k.network.Close() })
	k.lan = k.network.LAN("lan", "2001:db8:77::/64")
	far := k.network.LAN("far", "2001:db8:78::/64", hubbub.Cables(hubbub.Link{MTU: 1280}))
	k.network.Router("gateway", k.lan, far)
	k.uplink = k.lan.Uplink("linux", tap)
	b := &linkOfBoth{kernel: k, near: k.host("near"), far: far.Host("distant")}
	k.must("-n", k.namespace, "link", "set", "lo", "up")
	k.must("-n", k.namespace, "link", "set", tap.Name(), "up")
	k.until("the kernel has an address", func() bool {
		out, err := k.run("ip", "-6", "-o", "address", "show", "dev", tap.Name(), "scope", "global", "-tentative")
		for _, word := range strings.Fields(out) {
			if p, e := netip.ParsePrefix(word); e == nil && err == nil && k.lan.Subnet6().Contains(p.Addr()) {
				b.addr = p.Addr()
			}
		}
		return b.addr.IsValid()
	})
	t.Cleanup(func() {
		if t.Failed() {
			for _, h := range k.network.Hosts() {
				t.Logf("%s: discards %v, neighbours %v", h.Name(), h.Discards(), h.Neighbors())
			}
			out, _ := k.run("ip", "-6", "address")
			routes, _ := k.run("ip", "-6", "route")
			t.Logf("the kernel:\n%s%s", out, routes)
		}
	})
	return b
}

// The kernel autoconfigures itself from hubbub's router, and both sides ping the
// other: on the link, and through the router.
func TestKernelAndHubbubPingOverIPv6(t *testing.T) {
	b := newLinkOfBoth(t)
	for _, h := range []*hubbub.Host{b.near, b.far} {
		for _, size := range []string{"56", "1232", "8000"} {
			out, err := b.run("ping", "-6", "-n", "-c", "3", "-i", "0.05", "-W", "5", "-s", size, h.Addr().String())
			received := strings.Contains(out, "3 received, 0% packet loss") ||
				h == b.far && size == "8000" && strings.Contains(out, "2 received") // the first learns the path's MTU
			if !received {
				t.Errorf("ping %s with %s bytes: %v\n%s", h.Name(), size, err, out)
			}
		}
		for _, size := range []int{56, 4000} {
			reply, err := h.Ping(context.Background(), b.addr.String(), hubbub.PingSize(size), hubbub.PingTimeout(5*time.Second))
			if err != nil || reply.From != b.addr {
				t.Errorf("%s pings the kernel with %d bytes: %+v, %v", h.Name(), size, reply, err)
			}
		}
	}
}

func TestCurlOverIPv6(t *testing.T) {
	b := newLinkOfBoth(t)
	body, want := pattern(3 << 20)
	serveHTTP(t, b.far, body)
	file := filepath.Join(t.TempDir(), "got")
	url := "http://[" + b.far.Addr().String() + "]/"
	if out, err := b.run("curl", "-sS", "-m", "30", "-o", file, url); err != nil {
		t.Fatalf("curl: %v\n%s", err, out)
	}
	got, err := os.ReadFile(file)
	if err != nil || sum(got) != want {
		t.Errorf("curl got %d bytes, %v; want the %d that were served", len(got), err, len(body))
	}
	python := b.command("python3", "-m", "http.server", "--bind", "::", "--directory", filepath.Dir(file), "8000")
	if err := python.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { python.Process.Kill(); python.Wait() })
	transport := &http.Transport{DialContext: b.far.DialContext}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: patience}
	b.until("python3 answers", func() bool {
		answer, err := client.Get("http://[" + b.addr.String() + "]:8000/got")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		if got, err := io.ReadAll(answer.Body); err != nil || sum(got) != want {
			t.Errorf("got %d bytes, %v; want the %d that python3 serves", len(got), err, len(body))
		}
		return true
	})
}

// 100 MB each way through a router behind which no packet is longer than 1280
// octets: what is too long is told, and the segments get shorter (R8201-5).
func TestBulkOverIPv6WithANarrowPath(t *testing.T) {
	b := newLinkOfBoth(t)
	ln := mustListen(t, b.far, ":9000")
	defer ln.Close()
	out, err := b.dial("tcp6", "["+b.far.Addr().String()+"]:9000")
	if err != nil {
		t.Fatal(err)
	}
	in, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	transfer(t, out, in, bulk)
	in.Close()
	out, err = b.dial("tcp6", "["+b.far.Addr().String()+"]:9000")
	if err != nil {
		t.Fatal(err)
	}
	if in, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	transfer(t, in, out, bulk)
}
