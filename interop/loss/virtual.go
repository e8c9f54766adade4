package main

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"hubbub"
	"hubbub/event"
	"hubbub/socket"
	"hubbub/stack"
)

// buffers lets a window grow as far as the longest and fastest path takes.
func buffers(c *stack.Config) {
	c.TCP.SendBuffer, c.TCP.ReceiveBuffer, c.TCP.MaxReceiveBuffer = bufferLimit, bufferLimit, bufferLimit
}

// virtual sends over a path between two hubbub hosts, in virtual time.
func virtual(p path, algorithm string, seed uint64) (result, error) {
	w, err := newWorld(p, algorithm, seed)
	if err != nil {
		return result{}, err
	}
	defer w.network.Close()
	return w.run()
}

// A world is two hosts, and a path from one to the other.
type world struct {
	path    path
	network *hubbub.Network
	flow    *flow
}

// newWorld makes a world in which a connection is about to be opened.
func newWorld(p path, algorithm string, seed uint64) (*world, error) {
	n := hubbub.New(hubbub.Virtual(), hubbub.Seed(seed), hubbub.Config(buffers))
	lan := n.LAN("lan", "10.0.0.0/24")
	f := &flow{from: lan.Host("sender"), to: lan.Host("receiver"), algorithm: algorithm, port: port}
	if err := p.apply(f.from.Cable(), hubbub.Out); err != nil {
		return nil, err
	}
	if err := f.start(); err != nil {
		return nil, err
	}
	return &world{p, n, f}, nil
}

// run lets the world's time pass.
func (w *world) run() (result, error) {
	err := w.network.RunFor(w.path.lasts())
	if err == nil {
		err = w.flow.err
	}
	if err != nil {
		return result{}, fmt.Errorf("%s, %s: %w", w.path.name(), w.flow.algorithm, err)
	}
	return newResult(w.path, w.flow.algorithm, w.flow.received.Load(), w.flow.retransmissions()), nil
}

// tell prints what becomes of the sender's window, and why.
func (w *world) tell(to io.Writer) {
	w.network.Watch(func(e *event.Event) {
		if c, ok := e.Body.(event.Congestion); ok && e.Node == w.flow.from.Name() {
			fmt.Fprintf(to, "%.6f %s: cwnd %d, ssthresh %d: %s\n", time.Duration(e.Time).Seconds(), c.Phase, c.Cwnd, c.Ssthresh, c.Why)
		}
	})
}

// A flow is one connection between two hosts, on which one of them sends all
// the time.
type flow struct {
	from, to  *hubbub.Host
	algorithm string
	port      string
	begins    time.Duration // when it is opened
	received  atomic.Int64
	sock      *socket.Socket
	err       error
}

// algorithmKey is the setting by which a host's connections get their
// congestion control.
const algorithmKey = "net.ipv4.tcp_congestion_control"

// start begins both ends' programs.
func (f *flow) start() error {
	if err := f.from.SetSysctl(algorithmKey, f.algorithm); err != nil {
		return err
	}
	f.to.Go(func() { f.fail(f.serve()) })
	f.from.Go(func() { f.fail(f.dial()) })
	return nil
}

func (f *flow) fail(err error) {
	if err != nil {
		f.err = err
	}
}

func (f *flow) serve() error {
	ln, err := f.to.Listen("tcp", f.port)
	if err != nil {
		return err
	}
	c, err := ln.Accept()
	if err != nil {
		return err
	}
	receive(c, &f.received)
	return nil
}

func (f *flow) dial() error {
	if err := f.from.Network().Sleep(f.begins); err != nil {
		return err
	}
	c, err := f.from.Dial("tcp", net.JoinHostPort(f.to.Addr().String(), f.port[1:]))
	if err != nil {
		return err
	}
	f.sock = c.(*socket.Conn).Socket()
	send(c)
	return nil
}

// retransmissions returns how many segments were sent again.
func (f *flow) retransmissions() int64 {
	if f.sock == nil {
		return 0
	}
	info, err := f.sock.Info()
	if err != nil {
		return 0
	}
	return int64(info.Retransmissions)
}
