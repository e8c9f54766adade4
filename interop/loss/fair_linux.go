package main

import (
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hubbub"
)

// realContests lets a hubbub host and Linux contend, in real time, several
// times at once. Every other time it is Linux that begins. The receiver is
// Linux's too, so that they differ in nothing but the sender.
func realContests(c contest) (share, error) {
	all := make([]share, realTimes)
	errs := make([]error, realTimes)
	var done sync.WaitGroup
	for i := range all {
		done.Go(func() { all[i], errs[i] = realContest(c, i%2 == 1) })
	}
	done.Wait()
	return meanShare(all), errors.Join(errs...)
}

// realContest is one of them.
func realContest(c contest, linuxFirst bool) (s share, err error) {
	w, err := newPair(hubbub.Config(buffers))
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := c.path.apply(w.to.uplink.Cable(), hubbub.In); err != nil {
		return s, err
	}
	h, err := w.hubbubHost(c.first)
	if err != nil {
		return s, err
	}
	if err := c.scatter(h.Cable(), w.from.uplink.Cable()); err != nil {
		return s, err
	}
	var received [2]atomic.Int64
	for i, port := range []string{":9001", ":9002"} {
		ln, err := w.to.listen(port)
		if err != nil {
			return s, err
		}
		defer ln.Close()
		go accept(ln, &received[i])
	}
	begin := []func() (net.Conn, error){
		func() (net.Conn, error) { return h.Dial("tcp", w.to.addr+":9001") },
		func() (net.Conn, error) { return w.from.dial(w.to.addr+":9002", c.second) },
	}
	if linuxFirst {
		slices.Reverse(begin)
	}
	for i, dial := range begin {
		if i > 0 {
			<-time.After(later)
		}
		conn, err := dial()
		if err != nil {
			return s, err
		}
		defer conn.Close()
		go send(conn)
	}
	count := func() [2]int64 { return [2]int64{received[0].Load(), received[1].Load()} }
	<-time.After(settling)
	before := count()
	<-time.After(realWatch)
	return between(before, count(), realWatch), nil
}

// hubbubHost makes a host of hubbub's with that congestion control.
func (w *pair) hubbubHost(algorithm string) (*hubbub.Host, error) {
	h := w.lan.Host("hubbub", hubbub.Address("10.77.0.3"))
	return h, h.SetSysctl(algorithmKey, algorithm)
}

// accept takes the first connection and reads what comes.
func accept(ln net.Listener, count *atomic.Int64) {
	if c, err := ln.Accept(); err == nil {
		receive(c, count)
		c.Close()
	}
}
