package interop_test

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"hubbub"
	"hubbub/edge"
)

// A watchedTAP notes what passes: how long the longest frames are, and the longest pieces
// that they are to be cut into; and how many have a checksum that is still to be computed,
// of those that aren't to be cut.
type watchedTAP struct {
	*edge.TAP
	in, out watched
}

type watched struct{ longest, piece, partial atomic.Int64 }

// note takes a header and a frame of n octets in all.
func (w *watched) note(b [][]byte, n int) {
	if n <= len(b[0]) {
		return
	}
	w.longest.Store(max(w.longest.Load(), int64(n-len(b[0]))))
	switch {
	case b[0][1] != 0:
		w.piece.Store(max(w.piece.Load(), int64(b[0][4])|int64(b[0][5])<<8))
	case b[0][0]&1 != 0:
		w.partial.Add(1)
	}
}

func (w *watchedTAP) ReadParts(b [][]byte) (int, error) {
	n, err := w.TAP.ReadParts(b)
	w.in.note(b, n)
	return n, err
}

func (w *watchedTAP) TryReadParts(b [][]byte) (int, error) {
	n, err := w.TAP.TryReadParts(b)
	w.in.note(b, n)
	return n, err
}

func (w *watchedTAP) WriteParts(b [][]byte) (int, error) {
	n, err := w.TAP.WriteParts(b)
	w.out.note(b, n)
	return n, err
}

func (w *watchedTAP) TryWriteParts(b [][]byte) (bool, error) {
	done, err := w.TAP.TryWriteParts(b)
	if done && err == nil {
		n := 0
		for _, part := range b {
			n += len(part)
		}
		w.out.note(b, n)
	}
	return done, err
}

// newWatched makes a kernel behind a watched TAP, and gives it an address on the LAN.
func newWatched(t *testing.T, subnet, address string, mtu int, options ...hubbub.UplinkOption) (*kernel, *watchedTAP) {
	var tap *watchedTAP
	k := newKernelBy(t, func(plain *edge.TAP) io.ReadWriteCloser {
		tap = &watchedTAP{TAP: plain}
		return tap
	}, subnet, []hubbub.LANOption{hubbub.Cables(hubbub.Link{MTU: mtu})}, options...)
	k.must("-n", k.namespace, "link", "set", "hubbub0", "mtu", fmt.Sprint(mtu))
	k.must("-n", k.namespace, "address", "add", address+"/"+strings.Split(subnet, "/")[1], "dev", "hubbub0", "nodad")
	return k, tap
}

// unharmed complains of frames that went no further, and of wrong checksums.
func (k *kernel) unharmed() {
	k.t.Helper()
	if out, err := k.run("cat", "/proc/net/snmp"); err != nil || !strings.Contains(out, "InCsumErrors") || wrongChecksums(out) != "0" {
		k.t.Errorf("the kernel counts %s wrong checksums, %v", wrongChecksums(out), err)
	}
	for why, n := range k.uplink.Discards() {
		k.t.Errorf("%d frames went no further: %s", n, why)
	}
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
			k, tap := newWatched(t, x.subnet, x.kernel, 1500)
			k.must("-n", k.namespace, "link", "set", "hubbub0", "mtu", fmt.Sprint(x.mtu))
			h := k.host("feige")
			toHubbub(t, k, h, 20_000_000)
			toKernelAt(t, k, x.kernel, h, 20_000_000)
			if in, out := tap.in.longest.Load(), tap.out.longest.Load(); in < 20_000 || out < 20_000 {
				t.Errorf("the longest frames had %d octets from the kernel, %d to it: want whole segments", in, out)
			}
			k.unharmed()
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
