package interop_test

import (
	"fmt"
	"io"
	"net"
	"testing"

	"hubbub/socket"
)

// kernelTransfers is a client of the kernel's that connects, says of what it
// agreed on which bits of TCP_INFO are set and which two scales it has, sends
// 300,000 octets, and counts what it gets.
const kernelTransfers = `
import socket, sys
s = socket.create_connection((sys.argv[1], 9000))
info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)
s.sendall(bytes(300000))
s.shutdown(socket.SHUT_WR)
got = 0
while True:
    b = s.recv(65536)
    if not b: break
    got += len(b)
print(info[5] & 7, info[6] & 15, info[6] >> 4, got)
`

// A server that answers every SYN with a cookie remembers nothing (RFC 4987,
// 3.6), and yet the connection has all that the kernel's SYN offered: window
// scales, selective acknowledgments, timestamps. Without timestamps there is
// nowhere to keep the rest.
func TestKernelConnectsByACookie(t *testing.T) {
	const all = socket.InfoTimestamps | socket.InfoSACK | socket.InfoScaling
	for _, x := range []struct {
		stamps string
		want   uint8
	}{{"1", all}, {"0", 0}} {
		t.Run("timestamps "+x.stamps, func(t *testing.T) {
			k := newKernel(t)
			h := k.host("feige")
			k.must("netns", "exec", k.namespace, "sh", "-c", "echo "+x.stamps+" > /proc/sys/net/ipv4/tcp_timestamps")
			if err := h.SetSysctl("net.ipv4.tcp_syncookies", "2"); err != nil {
				t.Fatal(err)
			}
			ln := mustListen(t, h, ":9000")
			defer ln.Close()
			served := make(chan socket.TCPInfo, 1)
			go serveTransfer(t, ln, served)
			out, err := k.run("python3", "-c", kernelTransfers, h.Addr().String())
			info := <-served
			var options, theirs, ours, got int
			if n, _ := fmt.Sscan(out, &options, &theirs, &ours, &got); err != nil || n != 4 {
				t.Fatalf("the kernel's client says %q, %v", out, err)
			}
			if options != int(x.want) || got != 300_000 {
				t.Errorf("the kernel agreed on %03b, want %03b, and got %d octets", options, x.want, got)
			}
			if info.Options&all != x.want {
				t.Errorf("hubbub agreed on %03b, want %03b", info.Options&all, x.want)
			}
			if int(info.Scales&15) != ours || int(info.Scales>>4) != theirs {
				t.Errorf("hubbub's scales are %d and %d, the kernel's %d and %d", info.Scales&15, info.Scales>>4, theirs, ours)
			}
		})
	}
}

// serveTransfer accepts a connection, tells what it agreed on, and sends back
// what it gets.
func serveTransfer(t *testing.T, ln net.Listener, served chan<- socket.TCPInfo) {
	defer close(served)
	c, err := ln.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	info, err := c.(*socket.Conn).Socket().TCPInfo()
	if err != nil {
		t.Error(err)
	}
	got, err := io.ReadAll(c)
	if err != nil {
		t.Error(err)
	}
	if _, err := c.Write(got); err != nil {
		t.Error(err)
	}
	served <- info
}
