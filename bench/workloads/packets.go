package workloads

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"hubbub/bench/contestants"
)

func packets() []*Workload {
	metrics := []Metric{
		{Name: "rate", Title: "delivered", Unit: "1/s", More: true},
		{Name: "sent", Title: "sent", Unit: "1/s", More: true},
		{Name: "cpu", Title: "processor", Unit: "µs each delivered", Digits: 3},
	}
	return []*Workload{
		{
			Name: "datagrams", Title: "UDP, datagrams of 64 bytes", Contestants: datagrams, Metrics: metrics,
			Run:      func(t Task) (Sample, error) { return runPackets(t, contestants.Shape{}, 64) },
			Profiled: hubbubAlone,
		},
		{
			// 18 bytes of payload make the shortest frame that Ethernet has.
			Name: "forward", Title: "A router that forwards the shortest packets", Contestants: routers, Metrics: metrics,
			Run:      func(t Task) (Sample, error) { return runPackets(t, contestants.Shape{Router: true}, 18) },
			Profiled: hubbubAlone,
		},
	}
}

// A flow is datagrams from one sender to one receiver.
type flow struct {
	sent, received atomic.Int64
	stop           atomic.Bool
}

func runPackets(t Task, shape contestants.Shape, size int) (Sample, error) {
	network, err := t.Contestant.New(shape)
	if err != nil {
		return nil, err
	}
	server, err := network.ListenPacket(firstPort)
	if err != nil {
		return nil, fmt.Errorf("the receiver: %w", err)
	}
	client, err := network.DialPacket(firstPort)
	if err != nil {
		return nil, fmt.Errorf("the sender: %w", err)
	}
	x := &flow{}
	errs := make(chan error, 2)
	go func() { errs <- x.send(client, payload[:size]) }()
	go func() { errs <- x.receive(server, payload[:size]) }()
	time.Sleep(t.warmUp())
	before, sent, got := used(), x.sent.Load(), x.received.Load()
	if err := wait(t.Window, func() bool { return x.received.Load() > got }, errs); err != nil {
		return nil, err
	}
	arrived, left := float64(x.received.Load()-got), float64(x.sent.Load()-sent)
	seconds, cpu, _ := used().since(before)
	x.stop.Store(true)
	if err := <-errs; err != nil { // the sender's
		return nil, err
	}
	if err := server.SetReadDeadline(time.Now().Add(calm / 5)); err != nil {
		return nil, err
	}
	if err := <-errs; err != nil {
		return nil, err
	}
	return Sample{"rate": arrived / seconds, "sent": left / seconds, "cpu": 1e6 * cpu / arrived}, nil
}

// send sends as fast as it can. Where there is no room for a datagram, it is
// lost, as it would be on the way.
func (x *flow) send(c net.Conn, datagram []byte) error {
	for !x.stop.Load() {
		if _, err := c.Write(datagram); err != nil && !errors.Is(err, syscall.ENOBUFS) {
			return fmt.Errorf("the sender: %w", err)
		}
		x.sent.Add(1)
	}
	return nil
}

// receive compares what comes, until its deadline.
func (x *flow) receive(c net.PacketConn, datagram []byte) error {
	buf := make([]byte, 2048)
	for {
		n, _, err := c.ReadFrom(buf)
		if x.stop.Load() && isTimeout(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the receiver: %w", err)
		}
		if !bytes.Equal(buf[:n], datagram) {
			return fmt.Errorf("the receiver got %d bytes that nobody sent", n)
		}
		x.received.Add(1)
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
