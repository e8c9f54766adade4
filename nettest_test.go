package hubbub_test

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"hubbub"
)

// pipe makes what nettest tests: both ends of a connection, over cables that
// setup may spoil.
func pipe(w *way, setup func(n *hubbub.Network, h *hubbub.Host)) nettest.MakePipe {
	return func() (c1, c2 net.Conn, stop func(), err error) {
		n, server, client := classroomOn(w.subnet)
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
		c1, err = host{client, w}.Dial("tcp", "feige:"+port(ln))
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

func TestConnIsANetConn(t *testing.T) { isANetConn(t, nil) }

func TestConnIsANetConnOverALossyNetwork(t *testing.T) {
	isANetConn(t, func(n *hubbub.Network, h *hubbub.Host) {
		c := h.Cable()
		c.SetLoss(hubbub.Both, 0.02)
		c.SetDuplication(hubbub.Both, 0.02)
		c.SetCorruption(hubbub.Both, 0.01)
	})
}

func isANetConn(t *testing.T, setup func(n *hubbub.Network, h *hubbub.Host)) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel() // most of it waits
			nettest.TestConn(t, pipe(w, setup))
		})
	}
}
