//go:build linux

package interop_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hubbub"
	"hubbub/socket"
	"hubbub/wire"
)

func TestKernelPings(t *testing.T) {
	k := newKernel(t)
	h := k.host("nick")
	for _, size := range []string{"56", "1472", "8000"} {
		out, err := k.run("ping", "-n", "-c", "3", "-i", "0.05", "-W", "5", "-s", size, h.Addr().String())
		if err != nil || !strings.Contains(out, "3 received, 0% packet loss") {
			t.Errorf("ping with %s bytes: %v\n%s", size, err, out)
		}
	}
}

// ping sends an echo request from a hubbub host and returns the answer: the
// source, the message.
func ping(t *testing.T, h *hubbub.Host, to string, ttl int, data []byte) (string, wire.ICMPv4) {
	t.Helper()
	s, err := h.SocketOf(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.SetTimeout(5 * time.Second)
	if err := s.SetSockOpt(socket.IPPROTO_IP, socket.IP_TTL, ttl); err != nil {
		t.Fatal(err)
	}
	echo := wire.ICMPv4{Type: wire.Echo}
	echo.SetEcho(77, 1)
	if _, err := s.SendTo(echo.AppendTo(nil, data), to); err != nil {
		t.Fatal(err)
	}
	packet, from, err := s.RecvFrom(65535)
	if err != nil {
		t.Fatal(err)
	}
	_, message, err := wire.ParseIPv4(packet)
	if err != nil {
		t.Fatal(err)
	}
	m, rest, err := wire.ParseICMPv4(message)
	if err != nil {
		t.Fatal(err)
	}
	if m.Type == wire.EchoReply && (m.ID() != 77 || m.Seq() != 1 || !bytes.Equal(rest, data)) {
		t.Errorf("the answer %+v has %d bytes that aren't what was sent", m, len(rest))
	}
	return from, m
}

func TestHubbubPings(t *testing.T) {
	k := newKernel(t)
	h := k.host("nick")
	for _, size := range []int{0, 56, 1472, 8000} {
		data, _ := pattern(size)
		from, m := ping(t, h, kernelAddr, 64, data)
		if m.Type != wire.EchoReply || !strings.HasPrefix(from, kernelAddr) {
			t.Errorf("%d bytes: %v answers %+v", size, from, m)
		}
	}
}

// serveHTTP serves the body on a hubbub host.
func serveHTTP(t *testing.T, h *hubbub.Host, body []byte) {
	ln := mustListen(t, h, ":80")
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			got, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			io.WriteString(w, sum(got))
			return
		}
		w.Write(body)
	})}
	go server.Serve(ln)
	t.Cleanup(func() { server.Close() })
}

func TestCurlGetsFromHubbub(t *testing.T) {
	k := newKernel(t)
	h := k.host("feige")
	body, want := pattern(3 << 20)
	serveHTTP(t, h, body)
	file := filepath.Join(t.TempDir(), "got")
	if out, err := k.run("curl", "-sS", "-m", "30", "-o", file, "http://"+h.Addr().String()+"/"); err != nil {
		t.Fatalf("curl: %v\n%s", err, out)
	}
	got, err := os.ReadFile(file)
	if err != nil || sum(got) != want {
		t.Errorf("curl got %d bytes, %v; want the %d that were served", len(got), err, len(body))
	}
	out, err := k.run("curl", "-sS", "-m", "30", "--data-binary", "@"+file, "http://"+h.Addr().String()+"/")
	if err != nil || out != want {
		t.Errorf("curl sent the file: %v: %s, want the sum %s", err, out, want)
	}
}

func TestHubbubGetsFromPython(t *testing.T) {
	k := newKernel(t)
	h := k.host("nick")
	dir := t.TempDir()
	body, want := pattern(3 << 20)
	if err := os.WriteFile(filepath.Join(dir, "file"), body, 0o600); err != nil {
		t.Fatal(err)
	}
	python := k.command("python3", "-m", "http.server", "--bind", kernelAddr, "--directory", dir, "8000")
	if err := python.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { python.Process.Kill(); python.Wait() })
	k.until("python3 listens", func() bool {
		c, err := h.Dial("tcp", kernelAddr+":8000")
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	transport := &http.Transport{DialContext: h.DialContext}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: patience}
	answer, err := client.Get("http://" + kernelAddr + ":8000/file")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got, err := io.ReadAll(answer.Body); err != nil || sum(got) != want {
		t.Errorf("got %d bytes, %v; want the %d that python3 serves", len(got), err, len(body))
	}
}

const bulk = 100_000_000

// transfer writes on one end and reads on the other, and says how fast.
func transfer(t *testing.T, to, from net.Conn, bytes int) {
	t.Helper()
	data, want := pattern(bytes)
	begin := time.Now()
	to.SetDeadline(begin.Add(patience))
	failed := make(chan error, 1)
	go func() {
		_, err := to.Write(data)
		failed <- errors.Join(err, to.Close())
	}()
	n, got, err := drain(from)
	took := time.Since(begin)
	if err := errors.Join(err, <-failed); err != nil || got != want {
		t.Errorf("%d of %d bytes arrived, sum %s, want %s: %v", n, bytes, got, want, err)
	}
	t.Logf("%d bytes in %v: %.1f MB/s", n, took, float64(n)/1e6/took.Seconds())
}

func TestBulkFromKernel(t *testing.T) {
	k := newKernel(t)
	toHubbub(t, k, k.host("feige"), bulk)
}

func TestBulkToKernel(t *testing.T) {
	k := newKernel(t)
	toKernel(t, k, k.host("nick"), bulk)
}

// toHubbub sends bytes from the kernel to a hubbub host, which listens.
func toHubbub(t *testing.T, k *kernel, h *hubbub.Host, bytes int) {
	ln := mustListen(t, h, ":9000")
	defer ln.Close()
	out, err := k.dial("tcp", net.JoinHostPort(h.Addr().String(), "9000"))
	if err != nil {
		t.Fatal(err)
	}
	in, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	transfer(t, out, in, bytes)
}

// toKernel sends bytes from a hubbub host to the kernel, which listens.
func toKernel(t *testing.T, k *kernel, h *hubbub.Host, bytes int) {
	toKernelAt(t, k, kernelAddr, h, bytes)
}

// toKernelAt is toKernel at another address of the kernel's.
func toKernelAt(t *testing.T, k *kernel, address string, h *hubbub.Host, bytes int) {
	ln := k.listenAt(address, "9000")
	out := mustDial(t, h, "tcp", net.JoinHostPort(address, "9000"))
	in, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	transfer(t, out, in, bytes)
}

// Both ends send at once, over a cable that loses, doubles and reorders.
func TestBulkOverABadCable(t *testing.T) {
	k := newKernel(t)
	h := k.host("nick")
	cable := k.uplink.Cable()
	for _, err := range []error{
		cable.SetDelay(hubbub.Both, time.Millisecond),
		cable.SetLoss(hubbub.Both, 0.01),
		cable.SetDuplication(hubbub.Both, 0.01),
		cable.SetReordering(hubbub.Both, 0.01, 2*time.Millisecond),
		cable.SetCorruption(hubbub.Both, 0.002),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	toKernel(t, k, h, 3_000_000)
	toHubbub(t, k, h, 3_000_000)
}

func TestUDPEcho(t *testing.T) {
	k := newKernel(t)
	h := k.host("feige")
	here, err := h.ListenPacket("udp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	there := k.listenPacket("7")
	for _, c := range []net.PacketConn{here, there} {
		go echo(c)
	}
	fromKernel, err := k.dial("udp4", h.Addr().String()+":7")
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 1472, 1473, 9000, 60_000} {
		exchange(t, "the kernel asks", fromKernel, size)
		exchange(t, "hubbub asks", mustDial(t, h, "udp", kernelAddr+":7"), size)
	}
	here.Close()
}

func echo(c net.PacketConn) {
	b := make([]byte, 65535)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		c.WriteTo(b[:n], from)
	}
}

func exchange(t *testing.T, who string, c net.Conn, size int) {
	t.Helper()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	want, _ := pattern(size)
	if _, err := c.Write(want); err != nil {
		t.Fatalf("%s, %d bytes: %v", who, size, err)
	}
	b := make([]byte, 65535)
	if n, err := c.Read(b); err != nil || !bytes.Equal(b[:n], want) {
		t.Errorf("%s: %d bytes come back, %v; want the %d that were sent", who, n, err, size)
	}
}

func TestConnectionRefused(t *testing.T) {
	k := newKernel(t)
	h := k.host("nick")
	if c, err := k.dial("tcp4", h.Addr().String()+":81"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the kernel connects to a closed port of hubbub's: %v, %v", c, err)
	}
	if c, err := h.Dial("tcp", kernelAddr+":81"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("hubbub connects to a closed port of the kernel's: %v, %v", c, err)
	}
	fromKernel, err := k.dial("udp4", h.Addr().String()+":81")
	if err != nil {
		t.Fatal(err)
	}
	for who, c := range map[string]net.Conn{"the kernel": fromKernel, "hubbub": mustDial(t, h, "udp", kernelAddr+":81")} {
		c.SetDeadline(time.Now().Add(5 * time.Second))
		c.Write([]byte("anybody there?"))
		if n, err := c.Read(make([]byte, 10)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s sends a datagram to a closed port: %d, %v", who, n, err)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	k := newKernel(t)
	h := k.host("nick")
	asked := make(chan error)
	go func() {
		_, err := h.Dial("tcp", "10.77.0.99:80")
		asked <- err
	}()
	if c, err := k.dial("tcp4", "10.77.0.98:80"); !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("the kernel connects to nobody: %v, %v", c, err)
	}
	if err := <-asked; !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("hubbub connects to nobody: %v", err)
	}
}

// closing is a connection between the two, hubbub's end first.
func closing(t *testing.T) (k *kernel, h *hubbub.Host, here, there net.Conn) {
	k = newKernel(t)
	h = k.host("nick")
	ln := k.listen("9000")
	here = mustDial(t, h, "tcp", kernelAddr+":9000")
	there, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { there.Close() })
	return k, h, here, there
}

// state is that of hubbub's connection, empty if there is none.
func state(h *hubbub.Host) string {
	for _, s := range h.Netstat() {
		if s.Remote.Port() == 9000 {
			return s.State
		}
	}
	return ""
}

// hasState reports whether the kernel has a connection from that port, in that
// state.
func (k *kernel) hasState(state, port string) bool {
	k.t.Helper()
	out, err := k.run("ss", "-Htan", "state", state, "sport", "=", port)
	if err != nil {
		k.t.Fatalf("ss: %v: %s", err, out)
	}
	return strings.Contains(out, ":"+port)
}

func TestHubbubClosesFirst(t *testing.T) {
	k, h, here, there := closing(t)
	here.Close()
	if n, err := there.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the kernel reads %d, %v; want the end", n, err)
	}
	k.until("hubbub is in FIN-WAIT-2", func() bool { return state(h) == "FIN-WAIT-2" })
	if !k.hasState("close-wait", "9000") {
		t.Error("the kernel isn't in CLOSE-WAIT")
	}
	there.Close()
	k.until("hubbub is in TIME-WAIT", func() bool { return state(h) == "TIME-WAIT" })
	k.until("the kernel has forgotten the connection", func() bool { return !k.hasState("connected", "9000") })
}

func TestKernelClosesFirst(t *testing.T) {
	k, h, here, there := closing(t)
	there.Close()
	if n, err := here.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("hubbub reads %d, %v; want the end", n, err)
	}
	if got := state(h); got != "CLOSE-WAIT" {
		t.Errorf("hubbub is in %s, want CLOSE-WAIT", got)
	}
	here.Close()
	k.until("hubbub has forgotten the connection", func() bool { return state(h) == "" })
	if !k.hasState("time-wait", "9000") {
		t.Error("the kernel isn't in TIME-WAIT")
	}
}

// A Close of one direction leaves the other open, whoever closes first.
func TestHalfClose(t *testing.T) {
	data, want := pattern(500_000)
	for _, who := range []string{"hubbub", "the kernel"} {
		_, _, first, second := closing(t)
		if who == "the kernel" {
			first, second = second, first
		}
		if err := first.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if n, _, err := drain(second); n != 0 || err != nil {
			t.Errorf("%s has closed its half: the other reads %d bytes, %v", who, n, err)
		}
		go func() {
			second.Write(data)
			second.Close()
		}()
		if n, got, err := drain(first); got != want || err != nil {
			t.Errorf("%s has closed its half and gets %d bytes, %v; want %d", who, n, err, len(data))
		}
	}
}

// A reset from either end is the other's ECONNRESET.
func TestReset(t *testing.T) {
	type lingerer interface{ SetLinger(int) error }
	for _, who := range []string{"hubbub", "the kernel"} {
		_, h, here, there := closing(t)
		resets, reads := here, there
		if who == "the kernel" {
			resets, reads = there, here
		}
		if err := resets.(lingerer).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		resets.Close()
		reads.SetDeadline(time.Now().Add(5 * time.Second))
		if n, err := reads.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s resets the connection: the other reads %d, %v", who, n, err)
		}
		if got := state(h); got != "" {
			t.Errorf("%s has reset the connection: hubbub still has it in %s", who, got)
		}
	}
}

// beyond puts a hubbub router between the kernel and a second LAN, with a host.
func beyond(t *testing.T) (*kernel, *hubbub.Host) {
	k := newKernel(t)
	far := k.network.LAN("far", "10.78.0.0/24")
	k.network.RouterAt("gateway", hubbub.RouterPort{LAN: k.lan, Address: "10.77.0.254"}, hubbub.RouterPort{LAN: far})
	h := far.Host("feige", hubbub.Address("10.78.0.10"))
	if err := k.network.Err(); err != nil {
		t.Fatal(err)
	}
	k.must("-n", k.namespace, "route", "add", "10.78.0.0/24", "via", "10.77.0.254")
	return k, h
}

func TestPingBeyondARouter(t *testing.T) {
	k, h := beyond(t)
	for _, size := range []string{"56", "8000"} {
		out, err := k.run("ping", "-n", "-c", "3", "-i", "0.05", "-W", "5", "-s", size, "10.78.0.10")
		if err != nil || !strings.Contains(out, "3 received, 0% packet loss") || !strings.Contains(out, "ttl=63") {
			t.Errorf("ping: %v\n%s", err, out)
		}
	}
	out, err := k.run("ping", "-n", "-c", "1", "-t", "1", "-W", "5", "10.78.0.10")
	if err == nil || !strings.Contains(out, "From 10.77.0.254 icmp_seq=1 Time to live exceeded") {
		t.Errorf("ping with a time to live of 1: %v\n%s", err, out)
	}
	if from, m := ping(t, h, kernelAddr, 64, []byte("hello")); m.Type != wire.EchoReply || !strings.HasPrefix(from, kernelAddr) {
		t.Errorf("%s answers %+v", from, m)
	}
	if from, m := ping(t, h, kernelAddr, 1, []byte("hello")); m.Type != wire.TimeExceeded || !strings.HasPrefix(from, "10.78.0.1") {
		t.Errorf("to a time to live of 1 %s says %+v", from, m)
	}
}

func TestCurlBeyondARouter(t *testing.T) {
	k, h := beyond(t)
	body, want := pattern(1 << 20)
	serveHTTP(t, h, body)
	file := filepath.Join(t.TempDir(), "got")
	if out, err := k.run("curl", "-sS", "-m", "30", "-o", file, "http://10.78.0.10/"); err != nil {
		t.Fatalf("curl: %v\n%s", err, out)
	}
	got, err := os.ReadFile(file)
	if err != nil || sum(got) != want {
		t.Errorf("curl got %d bytes, %v; want the %d that were served", len(got), err, len(body))
	}
}

// The way to the far host is narrower than the kernel's card: the router says
// so, and the kernel's connection goes on in smaller segments (RFC 1191).
func TestKernelLearnsThePathMTU(t *testing.T) {
	k := newKernel(t)
	far := k.network.LAN("far", "10.78.0.0/24", hubbub.Cables(hubbub.Link{MTU: 1000}))
	k.network.RouterAt("gateway", hubbub.RouterPort{LAN: k.lan, Address: "10.77.0.254"}, hubbub.RouterPort{LAN: far})
	h := far.Host("feige", hubbub.Address("10.78.0.10"), hubbub.WithCable(hubbub.Link{MTU: 1500}))
	k.must("-n", k.namespace, "route", "add", "10.78.0.0/24", "via", "10.77.0.254")
	toHubbub(t, k, h, 1_000_000)
	out, err := k.run("ip", "route", "get", "10.78.0.10")
	if err != nil || !strings.Contains(out, "mtu 1000") {
		t.Errorf("the kernel's route is %v: %s", err, out)
	}
}
