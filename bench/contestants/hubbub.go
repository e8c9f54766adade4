package contestants

import (
	"net"
	"strconv"

	"hubbub"
	"hubbub/stack"
)

type hubbubNetwork struct {
	network        *hubbub.Network
	server, client *hubbub.Host
}

func newHubbub(s Shape, mtu int, together bool) (Network, error) {
	var options []hubbub.Option
	if !together {
		options = append(options, hubbub.Config(func(c *stack.Config) { c.GSO = true }))
	}
	n := hubbub.New(options...)
	cables := hubbub.Cables(hubbub.Link{MTU: mtu})
	room := n.LAN("room", "10.0.1.0/24", cables)
	there := room
	if s.Router {
		there = n.LAN("corridor", "10.0.2.0/24", cables)
		n.Router("gateway", room, there)
	}
	h := &hubbubNetwork{network: n, server: room.Host("server"), client: there.Host("client")}
	return h, n.Err()
}

func (h *hubbubNetwork) Listen(port int) (net.Listener, error) {
	return h.server.Listen("tcp", ":"+strconv.Itoa(port))
}

func (h *hubbubNetwork) Dial(port int) (net.Conn, error) {
	return h.client.Dial("tcp", h.address(port))
}

func (h *hubbubNetwork) ListenPacket(port int) (net.PacketConn, error) {
	return h.server.ListenPacket("udp", ":"+strconv.Itoa(port))
}

func (h *hubbubNetwork) DialPacket(port int) (net.Conn, error) {
	return h.client.Dial("udp", h.address(port))
}

func (h *hubbubNetwork) address(port int) string {
	return net.JoinHostPort(h.server.Addr().String(), strconv.Itoa(port))
}

func (h *hubbubNetwork) Close() error { return h.network.Close() }
