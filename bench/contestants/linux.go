package contestants

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// linuxNetwork is the kernel's, reached through package net.
type linuxNetwork struct {
	address string // the server's
	// Where the server and the client are, if they aren't in the process's own
	// network namespace.
	there, here *namespace
}

// newLinux sets the loopback interface to mtu and takes its offload from it;
// mtu 0 leaves it as it is. The process must then be in a network namespace of
// its own.
func newLinux(s Shape, mtu int) (Network, error) {
	if err := raiseFiles(); err != nil {
		return nil, err
	}
	if mtu != 0 {
		if err := setLoopback(mtu); err != nil {
			return nil, err
		}
	}
	if s.Router {
		return newLinuxRouter()
	}
	return &linuxNetwork{address: "127.0.0.1"}, nil
}

func (n *linuxNetwork) at(port int) string {
	return net.JoinHostPort(n.address, strconv.Itoa(port))
}

func (n *linuxNetwork) Listen(port int) (ln net.Listener, err error) {
	err = n.there.do(func() (err error) {
		ln, err = net.Listen("tcp4", n.at(port))
		return err
	})
	return ln, err
}

func (n *linuxNetwork) Dial(port int) (c net.Conn, err error) {
	err = n.here.do(func() (err error) {
		c, err = net.Dial("tcp4", n.at(port))
		return err
	})
	return c, err
}

func (n *linuxNetwork) ListenPacket(port int) (c net.PacketConn, err error) {
	err = n.there.do(func() (err error) {
		c, err = net.ListenPacket("udp4", n.at(port))
		return err
	})
	return c, err
}

func (n *linuxNetwork) DialPacket(port int) (c net.Conn, err error) {
	err = n.here.do(func() (err error) {
		c, err = net.Dial("udp4", n.at(port))
		return err
	})
	return c, err
}

func (n *linuxNetwork) Close() error { return nil }

// raiseFiles lets the process have as many files as the kernel allows: a
// connection is two.
func raiseFiles() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("how many files the process may have: %w", err)
	}
	most := limit
	if text, err := os.ReadFile("/proc/sys/fs/nr_open"); err == nil {
		if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			most = unix.Rlimit{Cur: n, Max: n}
		}
	}
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &most) == nil { // takes root
		return nil
	}
	limit.Cur = limit.Max
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// ethtool's commands that switch something off: segmentation and what undoes
// it.
var offloads = []struct {
	name    string
	command uint32
}{
	{"TSO", unix.ETHTOOL_STSO},
	{"GSO", unix.ETHTOOL_SGSO},
	{"GRO", unix.ETHTOOL_SGRO},
}

// setLoopback sets lo's MTU, switches its offload off, and it on. If the
// process's namespace isn't its own, it refuses.
func setLoopback(mtu int) error {
	if os.Getenv(NamespaceVariable) == "" {
		return fmt.Errorf("the loopback interface would be set to MTU %d for all of this machine: "+
			"this contestant is started by bench itself, in a network namespace of its own", mtu)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("a socket to set lo with: %w", err)
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint32(uint32(mtu))
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFMTU, request); err != nil {
		return fmt.Errorf("the MTU of lo can't be set to %d: %w", mtu, err)
	}
	for _, o := range offloads {
		if err := ethtool(fd, "lo", o.command, 0); err != nil {
			return fmt.Errorf("%s of lo can't be switched off: %w", o.name, err)
		}
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING | unix.IFF_LOOPBACK)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("lo can't be switched on: %w", err)
	}
	return nil
}

// NamespaceVariable is set in the environment of a process that was started in
// a network namespace of its own.
const NamespaceVariable = "HUBBUB_BENCH_NAMESPACE"

// ethtool sets a value of an interface: see linux/ethtool.h.
func ethtool(fd int, name string, command, value uint32) error {
	data := [2]uint32{command, value}
	var request struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}
	copy(request.name[:], name)
	request.data = unsafe.Pointer(&data)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	runtime.KeepAlive(&data)
	if errno != 0 {
		return errno
	}
	return nil
}
