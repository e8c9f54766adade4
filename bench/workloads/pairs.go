package workloads

import (
	"fmt"
	"net"

	"hubbub/bench/contestants"
)

// firstPort is the first that servers listen on.
const firstPort = 7000

// perPort is how many connections one port of a server gets: fewer than a
// client has ports.
const perPort = 20000

// pair is both ends of a connection.
type pair struct{ client, server net.Conn }

// connect opens n connections, one after the other.
func connect(network contestants.Network, n int) ([]pair, error) {
	pairs := make([]pair, 0, n)
	for port := firstPort; len(pairs) < n; port++ {
		ln, err := network.Listen(port)
		if err != nil {
			return nil, fmt.Errorf("listening on port %d: %w", port, err)
		}
		for range min(perPort, n-len(pairs)) {
			p, err := connectOne(network, ln, port)
			if err != nil {
				return nil, fmt.Errorf("connection %d of %d: %w", len(pairs)+1, n, err)
			}
			pairs = append(pairs, p)
		}
	}
	return pairs, nil
}

// connectOne opens a connection: Dial and Accept at once, because there are
// networks where one waits for the other.
func connectOne(network contestants.Network, ln net.Listener, port int) (p pair, err error) {
	type accepted struct {
		c   net.Conn
		err error
	}
	done := make(chan accepted, 1)
	go func() {
		c, err := ln.Accept()
		done <- accepted{c, err}
	}()
	if p.client, err = network.Dial(port); err != nil {
		return p, err
	}
	a := <-done
	p.server = a.c
	return p, a.err
}

// first returns the first error of n goroutines.
func first(errs <-chan error, n int) error {
	var err error
	for range n {
		if e := <-errs; e != nil && err == nil {
			err = e
		}
	}
	return err
}
