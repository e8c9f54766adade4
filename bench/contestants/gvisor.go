package contestants

import (
	"errors"
	"fmt"
	"net"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/loopback"
	"gvisor.dev/gvisor/pkg/tcpip/link/pipe"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// gvisor is how gVisor's stacks are set up.
type gvisor struct {
	mtu      uint32
	loopback bool // one stack that talks to itself
	tuned    bool // whatever makes it faster
}

type gvisorNetwork struct {
	server, client *stack.Stack
	router         *stack.Stack // nil if there is none
	address        tcpip.Address
}

var (
	serverAddress = tcpip.AddrFrom4([4]byte{10, 0, 1, 2})
	serverGateway = tcpip.AddrFrom4([4]byte{10, 0, 1, 1})
	clientAddress = tcpip.AddrFrom4([4]byte{10, 0, 2, 2})
	// What a TUN leads to.
	gvisorTUNAddress = tcpip.AddrFrom4([4]byte{10, 0, 3, 2})
	clientGateway    = tcpip.AddrFrom4([4]byte{10, 0, 2, 1})
)

func newGVisor(s Shape, g gvisor) (Network, error) {
	if g.loopback {
		if s.Router {
			return nil, ErrNoRouter
		}
		one, err := g.stack(card{loopback.New(), serverAddress})
		return &gvisorNetwork{server: one, client: one, address: serverAddress}, err
	}
	n := &gvisorNetwork{address: serverAddress}
	near, far := g.pipe()
	var err1, err2, err3 error
	n.server, err1 = g.stack(card{near, serverAddress})
	if s.Router {
		farther, farthest := g.pipe()
		n.router, err3 = g.stack(card{far, serverGateway}, card{farther, clientGateway})
		if err3 == nil {
			err3 = fault("forwarding", n.router.SetForwardingDefaultAndAllNICs(ipv4.ProtocolNumber, true))
		}
		far = farthest
	}
	n.client, err2 = g.stack(card{far, clientAddress})
	return n, errors.Join(err1, err2, err3)
}

// pipe returns the two ends of a cable.
func (g gvisor) pipe() (a, b stack.LinkEndpoint) {
	x, y := pipe.New("\x02\x00\x00\x00\x00\x01", "\x02\x00\x00\x00\x00\x02", g.mtu)
	if g.tuned {
		return unsummed{x}, unsummed{y}
	}
	return x, y
}

// unsummed is a cable whose checksums nobody computes or verifies.
type unsummed struct{ *pipe.Endpoint }

func (unsummed) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityRXChecksumOffload | stack.CapabilityTXChecksumOffload
}

// These let TCP make long segments, which the stack cuts before they leave: each
// frame crosses the cable by itself.
func (unsummed) GSOMaxSize() uint32               { return stack.GVisorGSOMaxSize }
func (unsummed) SupportedGSO() stack.SupportedGSO { return stack.GVisorGSOSupported }

// card is where a stack is plugged in.
type card struct {
	link    stack.LinkEndpoint
	address tcpip.Address
}

func (g gvisor) stack(cards ...card) (*stack.Stack, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol},
	})
	if g.tuned {
		if err := tune(s); err != nil {
			return s, err
		}
	}
	var routes []tcpip.Route
	for i, c := range cards {
		id := tcpip.NICID(i + 1)
		if err := s.CreateNIC(id, c.link); err != nil {
			return s, fault("network card", err)
		}
		prefix := tcpip.AddressWithPrefix{Address: c.address, PrefixLen: 24}
		address := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: prefix}
		if err := s.AddProtocolAddress(id, address, stack.AddressProperties{}); err != nil {
			return s, fault("address", err)
		}
		routes = append(routes, tcpip.Route{Destination: prefix.Subnet(), NIC: id})
	}
	if len(cards) == 1 {
		// A pipe has no link addresses to be asked for: all that isn't the
		// stack's own is at its other end.
		routes = append(routes, tcpip.Route{Destination: header.IPv4EmptySubnet, NIC: 1})
	}
	s.SetRouteTable(routes)
	return s, nil
}

// tune sets what makes gVisor faster. Its buffers are then those of hubbub and
// of Linux, as far as gVisor's limit of 4 MiB allows.
func tune(s *stack.Stack) error {
	sack, moderate := tcpip.TCPSACKEnabled(true), tcpip.TCPModerateReceiveBufferOption(true)
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: tcp.DefaultReceiveBufferSize, Max: tcp.MaxBufferSize}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: tcp.MaxBufferSize, Max: tcp.MaxBufferSize}
	for _, option := range []tcpip.SettableTransportProtocolOption{&sack, &moderate, &receive, &send} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, option); err != nil {
			return fault("option of TCP", err)
		}
	}
	return nil
}

func fault(what string, err tcpip.Error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("gVisor, %s: %v", what, err)
}

func (n *gvisorNetwork) at(port int) tcpip.FullAddress {
	return tcpip.FullAddress{NIC: 1, Addr: n.address, Port: uint16(port)}
}

func (n *gvisorNetwork) Listen(port int) (net.Listener, error) {
	return gonet.ListenTCP(n.server, n.at(port), ipv4.ProtocolNumber)
}

func (n *gvisorNetwork) Dial(port int) (net.Conn, error) {
	return gonet.DialTCP(n.client, n.at(port), ipv4.ProtocolNumber)
}

// gvisorHost is a stack that talks to others than itself.
type gvisorHost struct{ *gvisorNetwork }

func (n gvisorHost) DialTo(address string) (net.Conn, error) {
	to, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return nil, err
	}
	remote := tcpip.FullAddress{NIC: 1, Addr: tcpip.AddrFrom4Slice(to.IP.To4()), Port: uint16(to.Port)}
	return gonet.DialTCP(n.client, remote, ipv4.ProtocolNumber)
}

func (n *gvisorNetwork) ListenPacket(port int) (net.PacketConn, error) {
	local := n.at(port)
	return gonet.DialUDP(n.server, &local, nil, ipv4.ProtocolNumber)
}

func (n *gvisorNetwork) DialPacket(port int) (net.Conn, error) {
	remote := n.at(port)
	return gonet.DialUDP(n.client, nil, &remote, ipv4.ProtocolNumber)
}

func (n *gvisorNetwork) Close() error {
	for _, s := range []*stack.Stack{n.client, n.server, n.router} {
		if s != nil {
			s.Close()
		}
	}
	return nil
}
