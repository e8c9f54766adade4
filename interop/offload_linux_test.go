package interop_test

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"hubbub/edge"
)

// A watchedTAP notes how long the longest frames are that pass.
type watchedTAP struct {
	*edge.TAP
	in, out atomic.Int64
}

func (w *watchedTAP) ReadParts(b [][]byte) (int, error) {
	n, err := w.TAP.ReadParts(b)
	w.in.Store(max(w.in.Load(), int64(n)))
	return n, err
}

func (w *watchedTAP) WriteParts(b [][]byte) (int, error) {
	n, err := w.TAP.WriteParts(b)
	w.out.Store(max(w.out.Load(), int64(n)))
	return n, err
}

func (w *watchedTAP) TryReadParts(b [][]byte) (int, error) {
	n, err := w.TAP.TryReadParts(b)
	w.in.Store(max(w.in.Load(), int64(n)))
	return n, err
}

// Whole segments cross a TAP both ways, with checksums that the kernel has nothing
// against; over IPv4, IPv6, and to a kernel's card with a smaller MTU.
func TestTheKernelTakesAndGivesWholeSegments(t *testing.T) {
	for _, x := range []struct {
		name, subnet, kernel string
		mtu                  int
	}{
		{"IPv4", subnet, kernelAddr, 1500},
		{"IPv6", "fd77::/64", "fd77::1", 1500},
		{"a smaller MTU", subnet, kernelAddr, 1300},
	} {
		t.Run(x.name, func(t *testing.T) {
			var tap *watchedTAP
			k := newKernelBy(t, func(plain *edge.TAP) io.ReadWriteCloser {
				tap = &watchedTAP{TAP: plain}
				return tap
			}, x.subnet, nil)
			bits := strings.Split(x.subnet, "/")[1]
			k.must("-n", k.namespace, "link", "set", "hubbub0", "mtu", fmt.Sprint(x.mtu))
			k.must("-n", k.namespace, "address", "add", x.kernel+"/"+bits, "dev", "hubbub0", "nodad")
			h := k.host("feige")
			toHubbub(t, k, h, 20_000_000)
			toKernelAt(t, k, x.kernel, h, 20_000_000)
			if in, out := tap.in.Load(), tap.out.Load(); in < 20_000 || out < 20_000 {
				t.Errorf("the longest frames had %d octets from the kernel, %d to it: want whole segments", in, out)
			}
			if out, err := k.run("cat", "/proc/net/snmp"); err != nil || !strings.Contains(out, "InCsumErrors") || wrongChecksums(out) != "0" {
				t.Errorf("the kernel counts %s wrong checksums, %v", wrongChecksums(out), err)
			}
			for why, n := range k.uplink.Discards() {
				t.Errorf("%d frames went no further: %s", n, why)
			}
		})
	}
}

// wrongChecksums returns what /proc/net/snmp says of TCP's.
func wrongChecksums(text string) string {
	var names []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if fields[0] != "Tcp:" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		for i, name := range names {
			if name == "InCsumErrors" {
				return fields[i]
			}
		}
	}
	return "no count of"
}

// A TAP that is used for plain frames carries the same.
func TestPlainFramesCrossATAP(t *testing.T) {
	k := newKernelBy(t, func(tap *edge.TAP) io.ReadWriteCloser { return struct{ io.ReadWriteCloser }{tap} }, subnet, nil)
	k.must("-n", k.namespace, "address", "add", kernelAddr+"/24", "dev", "hubbub0")
	h := k.host("feige")
	toHubbub(t, k, h, 20_000_000)
	toKernel(t, k, h, 20_000_000)
}
