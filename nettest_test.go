package hubbub_test

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"hubbub"
)

// pipe makes what nettest tests: both ends of a connection, over cables that
// setup may spoil.
func pipe(setup func(n *hubbub.Network, h *hubbub.Host)) nettest.MakePipe {
	return func() (c1, c2 net.Conn, stop func(), err error) {
		n, server, client := classroom()
		if setup != nil {
			setup(n, client)
		}
		ln, err := server.Listen("tcp", ":0")
		if err != nil {
			return nil, nil, nil, err
		}
		accepted := make(chan net.Conn, 1)
		go func() {
			c, _ := ln.Accept()
			accepted <- c
		}()
		c1, err = client.Dial("tcp", "feige:"+port(ln))
		if err != nil {
			return nil, nil, nil, err
		}
		return c1, <-accepted, func() { n.Close() }, nil
	}
}

func port(ln net.Listener) string {
	_, p, _ := net.SplitHostPort(ln.Addr().String())
	return p
}

func TestConnIsANetConn(t *testing.T) { nettest.TestConn(t, pipe(nil)) }

func TestConnIsANetConnOverALossyNetwork(t *testing.T) {
	nettest.TestConn(t, pipe(func(n *hubbub.Network, h *hubbub.Host) {
		c := h.Cable()
		c.SetLoss(hubbub.Both, 0.02)
		c.SetDuplication(hubbub.Both, 0.02)
		c.SetCorruption(hubbub.Both, 0.01)
	}))
}
