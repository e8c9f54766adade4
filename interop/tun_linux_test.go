package interop_test

import (
	"io"
	"net/netip"
	"strings"
	"testing"

	"hubbub/edge"
)

// behindTUN makes a kernel behind a TUN, with an address on the LAN.
func behindTUN(t *testing.T, subnet, address string) *kernel {
	k := newKernelBehind(t, func(namespace string) (io.ReadWriteCloser, error) {
		return edge.OpenTUNIn(namespace, "hubbub0", netip.MustParseAddr(address))
	}, subnet, nil)
	k.must("-n", k.namespace, "address", "add", address+"/"+strings.Split(subnet, "/")[1], "dev", "hubbub0", "nodad")
	return k
}

// Behind a TUN the kernel is a host of the LAN: whoever begins, packets get there, and
// whole segments with checksums that it has nothing against.
func TestTheKernelBehindATUN(t *testing.T) {
	for _, x := range []struct{ name, subnet, kernel string }{
		{"IPv4", subnet, kernelAddr},
		{"IPv6", "fd77::/64", "fd77::1"},
	} {
		t.Run(x.name, func(t *testing.T) {
			k := behindTUN(t, x.subnet, x.kernel)
			h := k.host("feige")
			toHubbub(t, k, h, 5_000_000) // the kernel speaks first: the host must be asked for
			toKernelAt(t, k, x.kernel, h, 5_000_000)
			other := k.host("nick")
			if out, err := k.run("ping", "-c", "3", "-i", "0.2", "-s", "4000", "-W", "5", other.Addr().String()); err != nil {
				t.Errorf("ping: %v\n%s", err, out)
			}
			k.unharmed()
		})
	}
}
