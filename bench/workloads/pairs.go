package workloads

import (
	"fmt"
	"net"
	"time"

	"hubbub/bench/contestants"
)

// firstPort is the first that servers listen on.
const firstPort = 7000

// perPort is how many connections one port of a server gets: fewer than a
// client has ports.
const perPort = 20000

// pair is both ends of a connection.
type pair struct{ client, server net.Conn }

// connect opens connections, one after the other, until there are n.
func connect(network contestants.Network, pairs []pair, n int) ([]pair, error) {
	for port := firstPort + (len(pairs)+perPort-1)/perPort; len(pairs) < n; port++ {
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

// wait lets the window pass; a longer one if nothing has moved by then, because
// a busy machine may have let nobody run. It returns the first error of those
// who work meanwhile.
func wait(window time.Duration, moved func() bool, errs <-chan error) error {
	const most = 10 * time.Second
	for waited := time.Duration(0); waited == 0 || !moved(); waited += window {
		if waited > most {
			return fmt.Errorf("nothing arrived within %v", waited)
		}
		select {
		case err := <-errs:
			return err
		case <-time.After(window):
		}
	}
	return nil
}
