package edge_test

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"hubbub/edge"
	"hubbub/wire"
)

// A Read that waits for the kernel hears what the station has to say, and of the end.
func TestATUNAnswersForTheKernel(t *testing.T) {
	ip, name := namespace(t)
	kernel, host := netip.MustParseAddr("172.16.10.1"), netip.MustParseAddr("172.16.10.20")
	tun, err := edge.OpenTUNIn(name, "quiet%d", kernel)
	if err != nil {
		t.Fatal(err)
	}
	defer tun.Close()
	run(t, ip, "-n", name, "link", "set", tun.Name(), "up")
	frames := make(chan []byte)
	failed := make(chan error, 1)
	go func() {
		for {
			b := make([]byte, 2000)
			n, err := tun.Read(b)
			if err != nil {
				failed <- err
				return
			}
			if h, _, err := wire.ParseEthernet(b[:n]); err == nil && h.Type == wire.EtherTypeARP { // the kernel has something to say as well
				frames <- b[:n]
			}
		}
	}()
	mac := wire.MustParseMAC("02:00:00:00:00:20")
	for range 3 {
		a := wire.ARP{Op: wire.ARPRequest, SenderMAC: mac, SenderIP: host, TargetIP: kernel}
		h := wire.Ethernet{Dst: wire.Broadcast, Src: mac, Type: wire.EtherTypeARP}
		if n, err := tun.Write(a.AppendTo(h.AppendTo(nil))); n != 42 || err != nil {
			t.Fatal(n, err)
		}
		_, rest, err := wire.ParseEthernet(<-frames)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := wire.ParseARP(rest); err != nil || got.Op != wire.ARPReply || got.SenderIP != kernel || got.TargetIP != host {
			t.Errorf("%+v, %v", got, err)
		}
	}
	tun.Close()
	if err := <-failed; !errors.Is(err, os.ErrClosed) {
		t.Errorf("a Read after the end: %v", err)
	}
	if err := tun.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a second end: %v", err)
	}
}

func TestATUNThatCannotBeOpened(t *testing.T) {
	ip, name := namespace(t)
	kernel := netip.MustParseAddr("172.16.10.1")
	run(t, ip, "-n", name, "tuntap", "add", "tap7", "mode", "tap")
	for _, x := range []struct {
		name  string
		addrs []netip.Addr
		want  string
		err   error
	}{
		{"tun0", nil, `open TUN "tun0": by which address does the LAN know the kernel? At least one is needed`, nil},
		{"tun0", []netip.Addr{netip.MustParseAddr("ff02::1")}, `open TUN "tun0": ff02::1 is no address that the kernel can have on the LAN`, nil},
		{"tap7", []netip.Addr{kernel}, `open TUN "tap7": invalid argument: a card of that name is there that is no TUN`, syscall.EINVAL},
		{strings.Repeat("x", 16), []netip.Addr{kernel}, `open TUN "xxxxxxxxxxxxxxxx": a name of at most 15 bytes is needed`, nil},
	} {
		tun, err := edge.OpenTUNIn(name, x.name, x.addrs...)
		if err == nil {
			tun.Close()
		}
		if err == nil || err.Error() != x.want || x.err != nil && !errors.Is(err, x.err) {
			t.Errorf("%v, want %s", err, x.want)
		}
	}
}
