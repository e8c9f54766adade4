package interop_test

import (
	"errors"
	"io"
	"net"
	"testing"

	"hubbub/socket"
)

// RFC 9293, 3.6.1: a TCP implementation MAY accept a new SYN from the remote
// TCP endpoint to reopen the connection directly from the TIME-WAIT state.
// Hubbub's end is in TIME-WAIT here, and the kernel connects again from the
// same port.
func TestKernelConnectsAgainFromTheSamePort(t *testing.T) {
	k := newKernel(t)
	h := k.host("feige")
	ln := mustListen(t, h, ":9000")
	defer ln.Close()
	for range 3 {
		k.inside(func() error {
			d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(kernelAddr), Port: 40_000}}
			c, err := d.Dial("tcp4", h.Addr().String()+":9000")
			if err != nil {
				return err
			}
			defer c.Close()
			in, err := ln.Accept()
			if err != nil {
				return err
			}
			in.Close()
			return end(c)
		})
		k.until("the kernel has forgotten the connection", func() bool { return !k.hasState("connected", "40000") })
		k.until("hubbub is in TIME-WAIT", func() bool {
			for _, s := range h.Netstat() {
				if s.Remote.Port() == 40_000 {
					return s.State == "TIME-WAIT"
				}
			}
			return false
		})
	}
}

// The other way round: the kernel's end is in TIME-WAIT.
func TestHubbubConnectsAgainFromTheSamePort(t *testing.T) {
	k := newKernel(t)
	h := k.host("nick")
	ln := k.listen("9000")
	for again := range 3 {
		s, err := h.Socket(socket.AF_INET, socket.SOCK_STREAM)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Bind(":40000"), s.Connect(kernelAddr+":9000")); err != nil {
			t.Fatalf("connection %d: %v", again+1, err)
		}
		in, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		in.Close()
		if err := end(s.MakeFile()); err != nil {
			t.Errorf("connection %d: %v", again+1, err)
		}
		s.Close()
		k.until("the kernel is in TIME-WAIT", func() bool { return k.hasState("time-wait", "9000") })
	}
}

// end reads a connection's end.
func end(c net.Conn) error {
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		return errors.Join(errors.New("the other end has closed, and the read gives something else"), err)
	}
	return nil
}
