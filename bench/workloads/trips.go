package workloads

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

func trips() []*Workload {
	median := Metric{Name: "median", Title: "median", Unit: "µs", Digits: 2}
	p99 := Metric{Name: "p99", Title: "99th percentile", Unit: "µs", Digits: 2}
	rate := Metric{Name: "rate", Title: "rate", Unit: "1/s", More: true}
	trip := func(name, title string, who []string, conns, size int, metrics ...Metric) *Workload {
		return &Workload{
			Name: name, Title: title, Contestants: who, Metrics: metrics,
			Run:      func(t Task) (Sample, error) { return runTrips(t, t.many(conns), size) },
			Profiled: []string{"hubbub", "hubbub-tap"},
		}
	}
	return []*Workload{
		trip("trip", "Round trips of 1 byte, 1 connection", connections, 1, 1, median, p99, rate),
		trip("trip64", "Round trips of 1 byte, 64 connections", connections, 64, 1, rate, median, p99),
		trip("requests", "Requests and responses of 1 KiB, 1000 connections", connections, 1000, 1024, rate, median, p99),
		trip("tap-trip", "Round trips of 1 byte to the kernel, 1 connection", edges, 1, 1, median, p99, rate),
	}
}

func runTrips(t Task, conns, size int) (Sample, error) {
	network, err := t.network()
	if err != nil {
		return nil, err
	}
	pairs, err := connect(network, nil, conns)
	if err != nil {
		return nil, err
	}
	return measureTrips(t, pairs, size)
}

// measureTrips lets each pair ask and answer, as fast as it can.
func measureTrips(t Task, pairs []pair, size int) (Sample, error) {
	errs := make(chan error, 2*len(pairs))
	results := make([]asked, len(pairs))
	begin := time.Now().Add(t.warmUp())
	for i, p := range pairs {
		go func() { errs <- echo(p.server, size) }()
		go func() { errs <- ask(p.client, size, begin, begin.Add(t.Window), &results[i]) }()
	}
	if err := first(errs, 2*len(pairs)); err != nil {
		return nil, err
	}
	all := &results[0]
	for i := range results[1:] {
		all.merge(&results[1+i].histogram)
		all.within += results[1+i].within
	}
	return Sample{
		"median": all.quantile(0.5) / 1e3,
		"p99":    all.quantile(0.99) / 1e3,
		"rate":   float64(all.within) / t.Window.Seconds(),
	}, nil
}

// echo sends back all that comes, request by request, until the end.
func echo(c net.Conn, size int) error {
	defer c.Close()
	buf := make([]byte, size)
	for {
		if _, err := io.ReadFull(c, buf); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("the server: %w", err)
		}
		if _, err := c.Write(buf); err != nil {
			return fmt.Errorf("the server: %w", err)
		}
	}
}

// asked is what one client found.
type asked struct {
	histogram        // of all round trips that ended after the window's begin
	within    uint64 // those that ended within it
}

// ask makes round trips until end. Each carries something else, and each answer
// is compared.
func ask(c net.Conn, size int, begin, end time.Time, r *asked) error {
	defer c.Close()
	answer := make([]byte, size)
	now := time.Now()
	for at := 0; now.Before(end); at = (at + 1) % bufferSize {
		request := payload[at : at+size]
		if _, err := c.Write(request); err != nil {
			return fmt.Errorf("the client: %w", err)
		}
		if _, err := io.ReadFull(c, answer); err != nil {
			return fmt.Errorf("the client: %w", err)
		}
		if !bytes.Equal(request, answer) {
			return errors.New("the client got another answer than its request")
		}
		before := now
		now = time.Now()
		if now.After(begin) {
			r.add(now.Sub(before))
		}
		if now.After(begin) && !now.After(end) {
			r.within++
		}
	}
	return nil
}
