package edge

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// namespaces is where ip-netns(8) keeps the namespaces that have names.
const namespaces = "/run/netns"

// OpenTAPIn is [OpenTAP] inside of a network namespace that `ip netns add` has
// made. It takes CAP_SYS_ADMIN.
func OpenTAPIn(netns, name string) (*TAP, error) {
	var tap *TAP
	err := InNamespace(netns, func() (err error) {
		tap, err = OpenTAP(name)
		return err
	})
	return tap, err
}

// OpenTUNIn is [OpenTUN] inside of a network namespace, as [OpenTAPIn] is [OpenTAP].
func OpenTUNIn(netns, name string, addrs ...netip.Addr) (*TUN, error) {
	var tun *TUN
	err := InNamespace(netns, func() (err error) {
		tun, err = OpenTUN(name, addrs...)
		return err
	})
	return tun, err
}

// InNamespace calls f on a thread of its own inside of a network namespace that
// `ip netns add` has made, and returns f's error. Sockets that f opens stay in
// the namespace wherever they are used afterwards; goroutines that it starts
// are not in it. It takes CAP_SYS_ADMIN.
func InNamespace(netns string, f func() error) error {
	if netns == "" || netns == "." || netns == ".." || filepath.Base(netns) != netns {
		return fmt.Errorf("network namespace %q: the name of one is needed, as `ip netns list` shows it", netns)
	}
	done := make(chan error, 1)
	go func() {
		// The thread is never unlocked, so it ends with the goroutine: nobody
		// else must get it, because it stays in the namespace.
		runtime.LockOSThread()
		if err := enter(netns); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

// enter moves the thread into a namespace.
func enter(netns string) error {
	handle, err := os.Open(filepath.Join(namespaces, netns))
	if err != nil {
		return fmt.Errorf("network namespace %q: %w: make it with `ip netns add %s`", netns, err, netns)
	}
	defer handle.Close()
	if err := unix.Setns(int(handle.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("network namespace %q: setns: %w: it takes the capability CAP_SYS_ADMIN, which root has", netns, err)
	}
	return nil
}
