package workloads

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"hubbub/bench/contestants"
)

func connects() []*Workload {
	metrics := []Metric{{Name: "rate", Title: "rate", Unit: "1/s", More: true}}
	return []*Workload{
		{
			Name: "connect", Title: "Connect, accept, close, one after the other", Contestants: connections, Metrics: metrics,
			Run:      func(t Task) (Sample, error) { return runConnects(t, 1) },
			Profiled: hubbubAlone,
		},
		{
			Name: "connect64", Title: "Connect, accept, close, 64 at a time", Contestants: connections, Metrics: metrics,
			Run:      func(t Task) (Sample, error) { return runConnects(t, 64) },
			Profiled: hubbubAlone,
		},
	}
}

// runConnects opens connections, which the server accepts and closes; the
// client sees that end and closes too. TIME-WAIT is the server's.
func runConnects(t Task, wide int) (Sample, error) {
	network, err := t.network()
	if err != nil {
		return nil, err
	}
	ln, err := network.Listen(firstPort)
	if err != nil {
		return nil, err
	}
	errs := make(chan error, wide+1)
	go func() { errs <- acceptAndClose(ln) }()
	begin := time.Now().Add(t.warmUp())
	end := begin.Add(t.Window)
	var done atomic.Int64
	for range wide {
		go func() {
			n, err := open(network, begin, end)
			done.Add(n)
			errs <- err
		}()
	}
	if err := first(errs, wide); err != nil {
		return nil, err
	}
	return Sample{"rate": float64(done.Load()) / t.Window.Seconds()}, nil
}

func acceptAndClose(ln net.Listener) error {
	for {
		c, err := ln.Accept()
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		if err := c.Close(); err != nil {
			return fmt.Errorf("the server's close: %w", err)
		}
	}
}

// open opens connections until end, and counts those that were opened and
// closed within the window.
func open(network contestants.Network, begin, end time.Time) (n int64, err error) {
	var buf [1]byte
	for now := time.Now(); now.Before(end); {
		c, err := network.Dial(firstPort)
		if err != nil {
			return n, fmt.Errorf("dial: %w", err)
		}
		if _, err := c.Read(buf[:]); !errors.Is(err, io.EOF) {
			return n, fmt.Errorf("the client waited for the end of the connection, and got: %w", err)
		}
		if err := c.Close(); err != nil {
			return n, fmt.Errorf("the client's close: %w", err)
		}
		before := now
		now = time.Now()
		if before.After(begin) && !now.After(end) {
			n++
		}
	}
	return n, nil
}
