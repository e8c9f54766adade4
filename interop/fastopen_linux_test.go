package interop_test

import (
	"net/netip"
	"strings"
	"testing"

	"hubbub/socket"
)

// kernelAsks is a client of the kernel's that sends a question with
// MSG_FASTOPEN, and prints the answer and whether the question went in the SYN:
// the bit TCPI_OPT_SYN_DATA of TCP_INFO.
const kernelAsks = `
import socket, sys
s = socket.socket()
s.sendto(b"question", 0x20000000, (sys.argv[1], 9000))
print(s.recv(100).decode(), s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5] >> 5 & 1)
`

// TCP Fast Open, with the kernel as the client: it gets a cookie from hubbub, and
// what it sends in a SYN with that is answered.
func TestKernelOpensFast(t *testing.T) {
	k := newKernel(t)
	h := k.host("feige")
	if err := h.SetSysctl("net.ipv4.tcp_fastopen", "1026"); err != nil {
		t.Fatal(err)
	}
	ln := mustListen(t, h, ":9000")
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 100)
			c.Read(b)
			c.Write([]byte("answer"))
			c.Close()
		}
	}()
	for _, want := range []string{"answer 0", "answer 1", "answer 1"} {
		got, err := k.run("python3", "-c", kernelAsks, h.Addr().String())
		if err != nil || strings.TrimSpace(got) != want {
			t.Errorf("the kernel's client says %q, %v; want %q", got, err, want)
		}
	}
}

// kernelAnswers is a server of the kernel's that takes data in SYNs.
const kernelAnswers = `
import socket, sys
l = socket.socket()
l.setsockopt(socket.IPPROTO_TCP, 23, 5)
l.bind((sys.argv[1], 9000))
l.listen(5)
print("listening", flush=True)
while True:
    s, _ = l.accept()
    s.recv(100)
    s.send(b"answer")
    s.close()
`

// The other way round: hubbub gets a cookie from the kernel.
func TestHubbubOpensFast(t *testing.T) {
	k := newKernel(t)
	h := k.host("nick")
	k.must("netns", "exec", k.namespace, "sh", "-c", "echo 3 > /proc/sys/net/ipv4/tcp_fastopen")
	server := k.command("python3", "-c", kernelAnswers, kernelAddr)
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { server.Process.Kill(); server.Wait() }()
	if _, err := out.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	to := netip.MustParseAddrPort(kernelAddr + ":9000")
	for i := range 3 {
		s, err := h.Socket(socket.AF_INET, socket.SOCK_STREAM)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.SendMsg(&socket.Message{Buffers: [][]byte{[]byte("question")}, Addr: to}, socket.MSG_FASTOPEN); err != nil {
			t.Fatal(err)
		}
		got, err := s.Recv(100, 0)
		if err != nil || string(got) != "answer" {
			t.Errorf("%q, %v", got, err)
		}
		info, err := s.TCPInfo()
		if taken := info.Options&socket.InfoSYNData != 0; err != nil || taken != (i > 0) {
			t.Errorf("connection %d: the question went in the SYN: %v, %v", i+1, taken, err)
		}
		s.Close()
	}
}
