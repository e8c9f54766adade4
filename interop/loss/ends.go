package main

import (
	"net"
	"sync/atomic"
)

// port is where receivers listen.
const port = ":9000"

// bufferLimit is the most that a connection buffers at either end: more than
// two windows of the longest and fastest path.
const bufferLimit = 128 << 20

// chunk is how much a program writes or reads at a time.
const chunk = 64 << 10

// send writes for as long as it can.
func send(c net.Conn) {
	data := make([]byte, chunk)
	for {
		if _, err := c.Write(data); err != nil {
			return
		}
	}
}

// receive reads for as long as it can, and counts.
func receive(c net.Conn, count *atomic.Int64) {
	b := make([]byte, chunk)
	for {
		n, err := c.Read(b)
		count.Add(int64(n))
		if err != nil {
			return
		}
	}
}
