package main

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"hubbub"
)

// realContest lets a hubbub host and Linux contend, in real time. The receiver
// is Linux's too, so that they differ in nothing but the sender.
func realContest(c contest) (s share, err error) {
	w, err := newPair(hubbub.Config(buffers))
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := c.path.apply(w.to.uplink.Cable(), hubbub.In); err != nil {
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
	host := w.lan.Host("hubbub")
	if err := host.SetSysctl(algorithmKey, c.first); err != nil {
		return s, err
	}
	ours, err := host.Dial("tcp", w.to.addr+":9001")
	if err != nil {
		return s, err
	}
	defer ours.Close()
	go send(ours)
	<-time.After(later)
	theirs, err := w.from.dial(w.to.addr+":9002", c.second)
	if err != nil {
		return s, err
	}
	defer theirs.Close()
	go send(theirs)
	count := func() [2]int64 { return [2]int64{received[0].Load(), received[1].Load()} }
	<-time.After(settling)
	before := count()
	<-time.After(watched)
	return between(before, count()), theirs.(*net.TCPConn).SetLinger(0)
}

// accept takes the first connection and reads what comes.
func accept(ln net.Listener, count *atomic.Int64) {
	if c, err := ln.Accept(); err == nil {
		receive(c, count)
		c.Close()
	}
}
