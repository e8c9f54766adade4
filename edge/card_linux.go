package edge

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const tunDevice = "/dev/net/tun"

// OpenTAP opens the TAP card of that name, and makes it if there is none. An
// empty name or one with "%d", such as "tap%d", leaves the number to the
// kernel: see [TAP.Name]. It takes CAP_NET_ADMIN, unless the card was made for
// the user before.
func OpenTAP(name string) (*TAP, error) {
	t := new(TAP)
	if err := t.open("TAP", name, unix.IFF_TAP); err != nil {
		return nil, err
	}
	return t, nil
}

// OpenTUN opens the TUN card of that name, and makes it if there is none, as [OpenTAP] does
// with a TAP. addrs are the kernel's addresses on the LAN: at least one, as ip(8) gives
// them to the card.
func OpenTUN(name string, addrs ...netip.Addr) (*TUN, error) {
	t := new(TUN)
	if err := t.begin(name, addrs); err != nil {
		return nil, err
	}
	if err := t.open("TUN", name, unix.IFF_TUN); err != nil {
		return nil, err
	}
	return t, nil
}

// open opens the card of that name, and makes it if there is none.
func (c *card) open(kind, name string, flags uint16) error {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("open %s %q: a name of at most %d bytes is needed", kind, name, unix.IFNAMSIZ-1)
	}
	fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("open %s %q: %w", kind, name, explain(kind, &os.PathError{Op: "open", Path: tunDevice, Err: err}))
	}
	request.SetUint16(flags | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
	if err := prepare(fd, request); err != nil {
		unix.Close(fd)
		return fmt.Errorf("open %s %q: %w", kind, name, explain(kind, err))
	}
	// Only now: the poller asks a descriptor once whether it can be waited
	// for, and one without a card can't.
	c.kind, c.name, c.file = kind, request.Name(), os.NewFile(uintptr(fd), tunDevice)
	if c.raw, err = c.file.SyscallConn(); err != nil {
		return errors.Join(fmt.Errorf("open %s %q: %w", kind, name, err), c.Close())
	}
	c.in.open(c, c.raw.Read, unix.SYS_READV)
	c.out.open(c, c.raw.Write, unix.SYS_WRITEV)
	return nil
}

// prepare makes the card, and its header little-endian and of headerLen bytes on
// every machine.
func prepare(fd int, request *unix.Ifreq) error {
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return err
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TUNSETVNETLE, 1); err != nil {
		return err
	}
	return unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, headerLen)
}

// What the other end takes: frames whose checksum is still to be computed, and TCP
// segments that are still to be cut, those with congestion marks among them
// (linux/if_tun.h).
const offloads = 0x01 | 0x02 | 0x04 | 0x08 // TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6, TUN_F_TSO_ECN

// Offload lets the kernel send frames whose checksum is still to be computed, and TCP
// segments of up to 64 KiB that are still to be cut, and says so in the header that
// ReadParts gives; it takes such at any time. From then on only ReadParts must
// be used, with room for a whole segment.
func (c *card) Offload() error {
	var failed error
	if err := c.raw.Control(func(fd uintptr) { failed = unix.IoctlSetInt(int(fd), unix.TUNSETOFFLOAD, offloads) }); err != nil {
		failed = err
	}
	if failed != nil {
		return fmt.Errorf("%s %q leaves nothing to the other end: %w", c.kind, c.name, failed)
	}
	return nil
}

// explain adds to an error what would help.
func explain(kind string, err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: it takes the capability CAP_NET_ADMIN, which root has", err)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("%w: the kernel's module tun is not loaded (modprobe tun), or the container lacks the device", err)
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%w: another program has it open", err)
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w: a card of that name is there that is no %s", err, kind)
	}
	return err
}

// parts are the pieces of one frame, as the kernel is told of them.
type parts struct {
	pieces [8]unix.Iovec
	n      int
}

// set makes b the pieces.
func (p *parts) set(b [][]byte) error {
	p.n = 0
	for _, piece := range b {
		switch {
		case len(piece) == 0:
			continue
		case p.n == len(p.pieces):
			return unix.EINVAL
		}
		p.pieces[p.n].Base = &piece[0]
		p.pieces[p.n].SetLen(len(piece))
		p.n++
	}
	return nil
}

// transfer reads or writes one frame, if that can be done at once. The descriptor never
// blocks, so Go's scheduler isn't told of the call: it would take the processor away from who copies a
// long segment, and give it back only after others.
func (p *parts) transfer(call, fd uintptr) (int, error) {
	moved, _, errno := unix.RawSyscall(call, fd, uintptr(unsafe.Pointer(&p.pieces[0])), uintptr(p.n))
	switch errno {
	case 0:
		return int(moved), nil
	case unix.EAGAIN:
		return 0, unix.EAGAIN // the constant itself: nothing is allocated
	}
	return 0, errno
}
