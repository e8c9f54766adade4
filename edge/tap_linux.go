package edge

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const tunDevice = "/dev/net/tun"

// OpenTAP opens the TAP card of that name, and makes it if there is none. An
// empty name or one with "%d", such as "tap%d", leaves the number to the
// kernel: see [TAP.Name]. It takes CAP_NET_ADMIN, unless the card was made for
// the user before.
func OpenTAP(name string) (*TAP, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, fmt.Errorf("open TAP %q: a name of at most %d bytes is needed", name, unix.IFNAMSIZ-1)
	}
	fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open TAP %q: %w", name, explain(&os.PathError{Op: "open", Path: tunDevice, Err: err}))
	}
	request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open TAP %q: %w", name, explain(err))
	}
	// Only now: the poller asks a descriptor once whether it can be waited
	// for, and one without a card can't.
	return &TAP{os.NewFile(uintptr(fd), tunDevice), request.Name()}, nil
}

// explain adds to an error what would help.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: it takes the capability CAP_NET_ADMIN, which root has", err)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("%w: the kernel's module tun is not loaded (modprobe tun), or the container lacks the device", err)
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%w: another program has it open", err)
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w: a card of that name is there that is no TAP", err)
	}
	return err
}
