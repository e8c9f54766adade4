//go:build !linux

package edge

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
)

// OpenTAP needs Linux: elsewhere it fails with an error that is
// [errors.ErrUnsupported].
func OpenTAP(name string) (*TAP, error) {
	return nil, fmt.Errorf("open TAP %q: %w", name, needsLinux("a TAP card"))
}

// OpenTUN needs Linux, as [OpenTAP] does.
func OpenTUN(name string, _ ...netip.Addr) (*TUN, error) {
	return nil, fmt.Errorf("open TUN %q: %w", name, needsLinux("a TUN card"))
}

// OpenTUNIn needs Linux, as [OpenTAP] does.
func OpenTUNIn(netns, name string, _ ...netip.Addr) (*TUN, error) {
	return nil, fmt.Errorf("open TUN %q in namespace %q: %w", name, netns, needsLinux("a TUN card"))
}

// OpenTAPIn needs Linux, as [OpenTAP] does.
func OpenTAPIn(netns, name string) (*TAP, error) {
	return nil, fmt.Errorf("open TAP %q in namespace %q: %w", name, netns, needsLinux("a TAP card"))
}

// InNamespace needs Linux: elsewhere it fails with an error that is
// [errors.ErrUnsupported], and doesn't call f.
func InNamespace(netns string, f func() error) error {
	return fmt.Errorf("network namespace %q: %w", netns, needsLinux("a network namespace"))
}

// Offload needs Linux, as [OpenTAP] does.
func (c *card) Offload() error { return needsLinux("a " + c.kind + " card") }

type parts struct{}

func (parts) set([][]byte) error { return needsLinux("a TAP card") }

func (parts) transfer(_, _ uintptr) (int, error) { return 0, needsLinux("a TAP card") }

func needsLinux(what string) error {
	return fmt.Errorf("%w: %s is a thing of Linux, and this is %s", errors.ErrUnsupported, what, runtime.GOOS)
}
