package workloads

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"time"

	"hubbub"
)

func worlds() []*Workload {
	speed := []Metric{
		{Name: "speed", Title: "the lab's time", Unit: "s/s", More: true},
		{Name: "rate", Title: "payload", Unit: "MB/s", More: true, Digits: 2},
	}
	return []*Workload{
		{
			Name: "world", Title: "A world of 1000 hosts on a switch, all talking in pairs: requests and responses of 1 KiB",
			Contestants: hubbubAlone,
			Metrics: []Metric{
				{Name: "rate", Title: "rate", Unit: "1/s", More: true},
				{Name: "median", Title: "median", Unit: "µs", Digits: 2},
				{Name: "p99", Title: "99th percentile", Unit: "µs", Digits: 2},
				{Name: "ratio", Title: "of the rate on one processor", Unit: "×", More: true, Digits: 2},
				{Name: "setup", Title: "until all are connected", Unit: "ms"},
				{Name: "heap", Title: "heap", Unit: "kB/host", Digits: 1},
			},
			Run: func(t Task) (Sample, error) { return compareWorlds(t, t.many(1000), 1) },
		},
		{
			Name: "worlds", Title: "The same in two worlds that a trunk joins, one pair in ten across it",
			Contestants: hubbubAlone,
			Metrics: []Metric{
				{Name: "rate", Title: "rate", Unit: "1/s", More: true},
				{Name: "median", Title: "median", Unit: "µs", Digits: 2},
				{Name: "p99", Title: "99th percentile", Unit: "µs", Digits: 2},
				{Name: "ratio", Title: "of the rate on one processor", Unit: "×", More: true, Digits: 2},
			},
			Run: func(t Task) (Sample, error) { return compareWorlds(t, t.many(1000), 2) },
		},
		{
			Name: "lab-idle", Title: "An idle lab in virtual time: 10 hosts, a router, 5 connections with keep-alive",
			Contestants: hubbubAlone, Metrics: speed[:1],
			Run: func(t Task) (Sample, error) { return runLab(t, time.Hour, false) },
		},
		{
			Name: "lab-busy", Title: "The same lab, 5 transfers on cables of 100 Mbit/s and 1 ms",
			Contestants: hubbubAlone, Metrics: speed,
			Run: func(t Task) (Sample, error) { return runLab(t, 10*time.Millisecond, true) },
		},
	}
}

// across is of how many pairs one talks across the trunk, where there is one.
const across = 10

// compareWorlds is runWorld on one processor, then on all that there are to be.
func compareWorlds(t Task, hosts, networks int) (Sample, error) {
	all := runtime.GOMAXPROCS(1)
	one, err := runWorld(t, hosts, networks)
	runtime.GOMAXPROCS(all)
	if err != nil {
		return nil, err
	}
	sample, err := runWorld(t, hosts, networks)
	if err == nil {
		sample["ratio"] = sample["rate"] / one["rate"]
	}
	return sample, err
}

// runWorld lets each of the first half of the hosts talk to one of the other, in one
// network or in several that a trunk makes one LAN.
func runWorld(t Task, hosts, networks int) (Sample, error) {
	before, err := measureMemory(false)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	halls := make([]*hubbub.LAN, networks)
	for i := range halls {
		halls[i] = hubbub.New(hubbub.CardNumbers(uint16(i))).LAN("hall", "10.0.0.0/16")
		if i > 0 {
			halls[i-1].Trunk("trunk", halls[i])
		}
	}
	host := func(i, hall int) *hubbub.Host {
		address := fmt.Sprintf("10.0.%d.%d", i/200, i%200+1)
		return halls[hall%networks].Host(fmt.Sprintf("h%d", i), hubbub.Address(address))
	}
	pairs := make([]pair, hosts/2)
	for i := range pairs {
		hall, other := i, i
		if i%across == 0 {
			other++
		}
		if pairs[i], err = hostPair(host(i, hall), host(hosts/2+i, other)); err != nil {
			return nil, err
		}
	}
	setup := time.Since(begin)
	after, err := measureMemory(false)
	if err != nil {
		return nil, err
	}
	sample, err := measureTrips(t, pairs, 1024)
	if err != nil {
		return nil, err
	}
	sample["setup"] = float64(setup.Milliseconds())
	sample["heap"] = (after.heap - before.heap) / 1e3 / float64(hosts)
	for _, hall := range halls {
		err = errors.Join(err, hall.Network().Err())
	}
	return sample, err
}

// hostPair connects two hosts.
func hostPair(server, client *hubbub.Host) (p pair, err error) {
	ln, err := server.Listen("tcp", ":7000")
	if err != nil {
		return p, err
	}
	if p.client, err = client.Dial("tcp", net.JoinHostPort(server.Addr().String(), "7000")); err != nil {
		return p, err
	}
	p.server, err = ln.Accept()
	return p, err
}

// A lab is ten hosts in two rooms, joined by a router, in virtual time. Each
// host of the first room has a connection with one of the second.
type lab struct {
	network  *hubbub.Network
	busy     bool
	received float64 // payload; one program runs at a time
	err      error   // of a program
}

func newLab(busy bool) *lab {
	l := &lab{network: hubbub.New(hubbub.Virtual()), busy: busy}
	cables := hubbub.Cables(hubbub.Link{Rate: 100e6, Delay: time.Millisecond})
	near := l.network.LAN("near", "172.16.10.0/24", cables)
	far := l.network.LAN("far", "172.16.11.0/24", cables)
	l.network.Router("gateway", near, far)
	for i := range 5 {
		server, client := near.Host(fmt.Sprintf("server%d", i)), far.Host(fmt.Sprintf("client%d", i))
		server.Go(func() { l.note(l.serve(server)) })
		client.Go(func() { l.note(l.talk(client, server.Name()+":7000")) })
	}
	return l
}

func (l *lab) note(err error) { l.err = cmp.Or(l.err, err) }

func (l *lab) serve(h *hubbub.Host) error {
	ln, err := h.Listen("tcp", ":7000")
	if err != nil {
		return err
	}
	c, err := ln.Accept()
	if err != nil {
		return err
	}
	if err := c.(interface{ SetKeepAlive(bool) error }).SetKeepAlive(true); err != nil {
		return err
	}
	buf := make([]byte, bufferSize)
	for at := int64(0); ; {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		if err := checkAll(at, buf[:n]); err != nil {
			return err
		}
		at += int64(n)
		l.received += float64(n)
	}
}

func (l *lab) talk(h *hubbub.Host, to string) error {
	if err := h.Network().Sleep(time.Millisecond); err != nil { // the server listens by then
		return err
	}
	c, err := h.Dial("tcp", to)
	if err != nil {
		return err
	}
	for at := 0; l.busy; at = (at + bufferSize) % len(payload) {
		if _, err := c.Write(payload[at : at+bufferSize]); err != nil {
			return err
		}
	}
	return waitForEnd(c)
}

func waitForEnd(c net.Conn) error {
	_, err := io.Copy(io.Discard, c)
	return err
}

// runLab lets the lab's time pass, in steps, for as long as the window lasts.
func runLab(t Task, step time.Duration, busy bool) (Sample, error) {
	l := newLab(busy)
	if err := l.network.RunFor(200 * time.Millisecond); err != nil {
		return nil, err
	}
	l.received = 0
	passed, begin := time.Duration(0), time.Now()
	for time.Since(begin) < t.Window {
		if err := l.network.RunFor(step); err != nil {
			return nil, err
		}
		passed += step
	}
	if l.err != nil {
		return nil, l.err
	}
	took := time.Since(begin).Seconds()
	return Sample{"speed": passed.Seconds() / took, "rate": l.received / 1e6 / took}, nil
}
