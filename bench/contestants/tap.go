package contestants

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"

	"hubbub"
	"hubbub/edge"
)

// An edgeNetwork joins a stack to the kernel of the process's own namespace. One of the
// two is the server's side and the other the client's.
type edgeNetwork struct {
	inward         bool // the stack is the server's
	inside         dialer
	kernel, behind string               // addresses as the other side knows them
	forward        func(port int) error // lets others reach a port inside, nil if they do
	close          func() error
}

// A dialer is one side, of which addresses are those of the other.
type dialer interface {
	Listen(port int) (net.Listener, error)
	DialTo(address string) (net.Conn, error)
}

func (n *edgeNetwork) Listen(port int) (net.Listener, error) {
	if n.inward {
		ln, err := n.inside.Listen(port)
		if err == nil && n.forward != nil {
			err = n.forward(port)
		}
		return ln, err
	}
	return net.Listen("tcp4", ":"+strconv.Itoa(port))
}

func (n *edgeNetwork) Dial(port int) (net.Conn, error) {
	if n.inward {
		return net.DialTimeout("tcp4", net.JoinHostPort(n.behind, strconv.Itoa(port)), patience)
	}
	return n.inside.DialTo(net.JoinHostPort(n.kernel, strconv.Itoa(port)))
}

// patience is how long the kernel may take to connect.
const patience = 10 * time.Second

func (n *edgeNetwork) ListenPacket(int) (net.PacketConn, error) { return nil, ErrNoPackets }
func (n *edgeNetwork) DialPacket(int) (net.Conn, error)         { return nil, ErrNoPackets }

func (n *edgeNetwork) Close() error { return n.close() }

// The kernel's address and the stack's on the link between them.
const kernelAddress, stackAddress = "10.0.3.1", "10.0.3.2"

// alone reports as an error that the process isn't in a namespace of its own.
func alone(s Shape) error {
	switch {
	case os.Getenv(NamespaceVariable) == "":
		return errors.New("a card would be made on this machine: " +
			"this contestant is started by bench itself, in a network namespace of its own")
	case s.Router:
		return ErrNoRouter
	}
	return nil
}

// newHubbubTAP joins a hubbub host to the kernel by a TAP; with whole segments and
// checksums left to be computed, or with plain frames.
func newHubbubTAP(s Shape, offload bool) (Network, error) {
	if err := alone(s); err != nil {
		return nil, err
	}
	tap, err := edge.OpenTAP("hubbub0")
	if err != nil {
		return nil, err
	}
	var outside io.ReadWriteCloser = tap
	if !offload {
		outside = struct{ io.ReadWriteCloser }{tap} // so that an uplink sees no more than that
	}
	n := hubbub.New()
	lan := n.LAN("lan", "10.0.3.0/24")
	host := lan.Host("host", hubbub.Address(stackAddress))
	lan.Uplink("kernel", outside)
	var here *namespace
	err = here.ip("address add "+kernelAddress+"/24 dev hubbub0", "link set hubbub0 up")
	return &edgeNetwork{inward: s.Inward, inside: hubbubHost{host}, kernel: kernelAddress, behind: stackAddress, close: n.Close},
		errors.Join(err, n.Err())
}

type hubbubHost struct{ *hubbub.Host }

func (h hubbubHost) Listen(port int) (net.Listener, error) {
	return h.Host.Listen("tcp", ":"+strconv.Itoa(port))
}
func (h hubbubHost) DialTo(address string) (net.Conn, error) { return h.Dial("tcp", address) }

// newVeth joins two namespaces of the kernel by a pair of virtual Ethernet cards.
func newVeth(s Shape) (Network, error) {
	if err := alone(s); err != nil {
		return nil, err
	}
	there, err := newNamespace()
	if err != nil {
		return nil, err
	}
	var here *namespace
	err = errors.Join(
		here.ip("link add near type veth peer name eth0 netns "+there.path,
			"address add "+kernelAddress+"/24 dev near", "link set near up"),
		there.ip("address add "+stackAddress+"/24 dev eth0", "link set eth0 up"),
	)
	return &edgeNetwork{inward: s.Inward, inside: there, kernel: kernelAddress, behind: stackAddress, close: func() error { return nil }}, err
}

// Listen and DialTo open sockets in the namespace.
func (n *namespace) Listen(port int) (ln net.Listener, err error) {
	err = n.do(func() (err error) {
		ln, err = net.Listen("tcp4", ":"+strconv.Itoa(port))
		return err
	})
	return ln, err
}

func (n *namespace) DialTo(address string) (c net.Conn, err error) {
	err = n.do(func() (err error) {
		c, err = net.DialTimeout("tcp4", address, patience)
		return err
	})
	return c, err
}

// newGVisorTUN joins a stack of gVisor's to the kernel by a TUN. Its link/fdbased has
// virtio-net headers for sockets alone.
func newGVisorTUN(s Shape) (Network, error) {
	if err := alone(s); err != nil {
		return nil, err
	}
	fd, err := openTUN("gvisor0")
	if err != nil {
		return nil, err
	}
	link, err := fdbased.New(&fdbased.Options{FDs: []int{fd}, MTU: 1500, PacketDispatchMode: fdbased.Readv})
	if err != nil {
		return nil, fmt.Errorf("gVisor, link: %w", err)
	}
	n := &gvisorNetwork{}
	n.client, err = gvisor{tuned: true}.stack(card{link, gvisorTUNAddress})
	n.server, n.address = n.client, gvisorTUNAddress
	var here *namespace
	err = errors.Join(err, here.ip("address add "+kernelAddress+"/24 dev gvisor0", "link set gvisor0 up"))
	return &edgeNetwork{inward: s.Inward, inside: gvisorHost{n}, kernel: kernelAddress, behind: stackAddress, close: n.Close}, err
}

// openTUN makes a TUN.
func openTUN(name string) (int, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return -1, errors.Join(fmt.Errorf("TUN %s: %w", name, err), unix.Close(fd))
	}
	return fd, nil
}
