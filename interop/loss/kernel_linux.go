package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hubbub"
	"hubbub/edge"
)

// A namespace is one of the kernel's, with a TAP card that is an uplink of a
// hubbub LAN. The kernel is then a host there.
type namespace struct {
	name   string
	addr   string
	uplink *hubbub.Uplink
}

var namespaces atomic.Int32

// newNamespace makes one. Its name has the number of the process, so that the
// next run can sweep up what a killed one has left.
func newNamespace(lan *hubbub.LAN, addr string) (*namespace, error) {
	sweep()
	ns := &namespace{name: fmt.Sprintf("hubbub-%d-%d", os.Getpid(), namespaces.Add(1)), addr: addr}
	if err := ip("netns", "add", ns.name); err != nil {
		return nil, err
	}
	note(ns.name, true)
	tap, err := edge.OpenTAPIn(ns.name, "hubbub0")
	if err != nil {
		return nil, errors.Join(err, ns.remove())
	}
	err = errors.Join(
		edge.InNamespace(ns.name, settings),
		// What a card cuts into frames itself the cable wouldn't see as frames.
		ip("-n", ns.name, "link", "set", "hubbub0", "gso_max_segs", "1", "txqueuelen", "50000", "up"),
		ip("-n", ns.name, "address", "add", addr+"/24", "dev", "hubbub0"),
	)
	if err != nil {
		return nil, errors.Join(err, tap.Close(), ns.remove())
	}
	ns.uplink = lan.Uplink(ns.name, tap, hubbub.UplinkQueue(1<<16))
	return ns, nil
}

func (ns *namespace) remove() error {
	note(ns.name, false)
	return ip("netns", "delete", ns.name)
}

// ip runs ip(8).
func ip(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// settings lets the kernel's buffers grow so far that windows reach what
// hubbub's do (of a receive buffer about half becomes window), and keeps what
// isn't TCP's from the card.
func settings() error {
	for name, value := range map[string]string{
		"ipv4/tcp_rmem":                  fmt.Sprintf("4096 131072 %d", 2*bufferLimit),
		"ipv4/tcp_wmem":                  fmt.Sprintf("4096 16384 %d", 2*bufferLimit),
		"ipv4/tcp_no_metrics_save":       "1",
		"ipv6/conf/all/disable_ipv6":     "1",
		"ipv6/conf/hubbub0/disable_ipv6": "1",
	} {
		if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// listen opens a listener of the kernel's.
func (ns *namespace) listen(port string) (ln net.Listener, err error) {
	err = edge.InNamespace(ns.name, func() (err error) {
		ln, err = net.Listen("tcp4", ns.addr+port)
		return err
	})
	return ln, err
}

// dial opens a connection of the kernel's that has the given congestion
// control.
func (ns *namespace) dial(addr, algorithm string) (c net.Conn, err error) {
	d := net.Dialer{Timeout: time.Minute, Control: func(_, _ string, raw syscall.RawConn) (failed error) {
		err := raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, algorithm)
		})
		return errors.Join(err, failed)
	}}
	err = edge.InNamespace(ns.name, func() (err error) {
		c, err = d.DialContext(context.Background(), "tcp4", addr)
		return err
	})
	return c, err
}

// A pair is two of the kernel's namespaces and the world between them.
type pair struct {
	network  *hubbub.Network
	lan      *hubbub.LAN
	from, to *namespace
}

// newPair makes a pair. Their cables are perfect yet.
func newPair(options ...hubbub.Option) (*pair, error) {
	w := &pair{network: hubbub.New(options...)}
	w.lan = w.network.LAN("lan", "10.77.0.0/24")
	var err error
	if w.from, err = newNamespace(w.lan, "10.77.0.1"); err != nil {
		return nil, errors.Join(err, w.network.Close())
	}
	if w.to, err = newNamespace(w.lan, "10.77.0.2"); err != nil {
		return nil, errors.Join(err, w.network.Close(), w.from.remove())
	}
	return w, w.network.Err()
}

func (w *pair) close() error {
	return errors.Join(w.network.Close(), w.from.remove(), w.to.remove())
}

// kernel sends over a path between two ends of the kernel's, in real time. If
// the machine was too busy for that it tries again.
func kernel(p path, algorithm string, _ uint64) (r result, err error) {
	if p.rtt <= time.Millisecond {
		err := exact.start()
		defer func() { _ = exact.stop() }()
		if err != nil {
			return r, err
		}
	}
	for range 4 {
		var stalled time.Duration
		r, stalled, err = kernelOnce(p, algorithm)
		if err != nil || stalled < p.lasts()/200 {
			return r, err
		}
	}
	return r, fmt.Errorf("%s, %s: %w: the machine is too busy", p.name(), algorithm, errHarness)
}

// kernelOnce also returns for how long the harness stood still.
func kernelOnce(p path, algorithm string) (r result, stalled time.Duration, err error) {
	w, err := newPair()
	if err != nil {
		return r, 0, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := p.apply(w.from.uplink.Cable(), hubbub.Out); err != nil {
		return r, 0, err
	}
	watch := startWatch()
	octets, again, err := w.transfer(algorithm, p.lasts())
	stalled = watch.stop()
	if err != nil {
		return r, stalled, fmt.Errorf("%s, %s: %w", p.name(), algorithm, err)
	}
	for _, ns := range []*namespace{w.from, w.to} {
		if lost := ns.uplink.Discards(); len(lost) > 0 {
			return r, stalled, fmt.Errorf("%s, %s: %w: it has lost frames: %v", p.name(), algorithm, errHarness, lost)
		}
	}
	return newResult(p, algorithm, octets, again), stalled, nil
}

// transfer sends for so long, the opening of the connection included, and
// returns how many octets were read and how many segments sent again.
func (w *pair) transfer(algorithm string, d time.Duration) (octets, again int64, err error) {
	ln, err := w.to.listen(port)
	if err != nil {
		return 0, 0, err
	}
	defer ln.Close()
	var received atomic.Int64
	go accept(ln, &received)
	over := time.NewTimer(d)
	c, err := w.from.dial(w.to.addr+port, algorithm)
	if err != nil {
		return 0, 0, err
	}
	go send(c)
	<-over.C
	octets = received.Load()
	again, err = retransmissions(c.(*net.TCPConn))
	return octets, again, errors.Join(err, c.(*net.TCPConn).SetLinger(0), c.Close())
}

// retransmissions asks the kernel how many segments were sent again.
func retransmissions(c *net.TCPConn) (n int64, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var info *unix.TCPInfo
	var failed error
	err = raw.Control(func(fd uintptr) { info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	if err := errors.Join(err, failed); err != nil {
		return 0, err
	}
	return int64(info.Total_retrans), nil
}

// harness measures what the way through the TAPs can do where the cable does
// nothing, and says on which machine it was.
func harness() (notes []string, ceiling result, err error) {
	w, err := newPair()
	if err != nil {
		return nil, ceiling, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	rtt, err := w.roundTrip()
	if err != nil {
		return nil, ceiling, err
	}
	const d = 10 * time.Second
	octets, again, err := w.transfer("cubic", d)
	if err != nil {
		return nil, ceiling, err
	}
	bps := int64(float64(octets) * 8 / d.Seconds())
	ceiling = result{
		Path: ceilingName, Algorithm: "cubic", Goodput: bps, Low: bps, High: bps, Retransmissions: again, Runs: 1,
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, ceiling, err
	}
	return []string{
		fmt.Sprintf("Measured on %s: %s %s on %d processors.", time.Now().UTC().Format("2 January 2006"),
			unix.ByteSliceToString(u.Sysname[:]), kernelVersion(unix.ByteSliceToString(u.Release[:])), runtime.NumCPU()),
		fmt.Sprintf("Without any harm the way from TAP to TAP carries %d Mbit/s, and there and back it takes %v.",
			bps/1e6, rtt.Round(time.Microsecond)),
	}, ceiling, nil
}

// kernelVersion is the part of a release that says which kernel it is.
func kernelVersion(release string) string {
	version, _, _ := strings.Cut(release, "-")
	return version
}

// roundTrip measures how long the way there and back takes, between programs:
// the median.
func (w *pair) roundTrip() (time.Duration, error) {
	ln, err := w.to.listen(port)
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	go func() {
		if c, err := ln.Accept(); err == nil {
			_, _ = io.Copy(c, c)
			c.Close()
		}
	}()
	c, err := w.from.dial(w.to.addr+port, "cubic")
	if err != nil {
		return 0, err
	}
	defer c.Close()
	all := make([]time.Duration, 1000)
	b := make([]byte, 1)
	for i := range all {
		began := time.Now()
		if _, err := c.Write(b); err != nil {
			return 0, err
		}
		if _, err := c.Read(b); err != nil {
			return 0, err
		}
		all[i] = time.Since(began)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}
