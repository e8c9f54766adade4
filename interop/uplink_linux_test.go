package interop_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hubbub"
	"hubbub/edge"
	"hubbub/internal/need"
	"hubbub/socket"
)

// Frames of 9000 octets cross a TAP: segments are to be cut into pieces of that length, and
// datagrams go in one.
func TestJumboFramesCrossATAP(t *testing.T) {
	for _, x := range []struct {
		subnet, kernel string
		mss            int64 // without the timestamps' 12
	}{
		{subnet, kernelAddr, 9000 - 52},
		{"fd77::/64", "fd77::1", 9000 - 72},
	} {
		k, tap := newWatched(t, x.subnet, x.kernel, 9000)
		h := k.host("feige")
		toHubbub(t, k, h, 20_000_000)
		toKernelAt(t, k, x.kernel, h, 20_000_000)
		if in, out := tap.in.piece.Load(), tap.out.piece.Load(); in != x.mss || out != x.mss {
			t.Errorf("%s: pieces of %d octets come from the kernel, of %d go to it; want %d", x.subnet, in, out, x.mss)
		}
		k.unharmed()
	}
}

// RFC 9293, 3.7.1: "TCP endpoints MUST implement both sending and receiving the MSS Option
// (MUST-14)." What stands for several segments is cut into pieces that are no longer than the other
// end has said.
func TestPiecesAreNoLongerThanThePeersMSS(t *testing.T) {
	k, tap := newWatched(t, subnet, kernelAddr, 1500)
	k.must("-n", k.namespace, "route", "change", subnet, "dev", "hubbub0", "src", kernelAddr, "proto", "kernel", "advmss", "500")
	h := k.host("feige")
	toKernel(t, k, h, 1_500_000) // fewer frames than may wait for the outside
	if n, longest := tap.out.piece.Load(), tap.out.longest.Load(); n != 500-12 || longest < 5000 {
		t.Errorf("the kernel takes 500 octets; it is to cut %d into pieces of %d, want them of 488", longest, n)
	}
	s, err := h.SocketOf(socket.AF_INET, socket.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.SetSockOpt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 700); err != nil {
		t.Fatal(err)
	}
	ln := k.listen("9001")
	if err := s.Connect(net.JoinHostPort(kernelAddr, "9001")); err != nil {
		t.Fatal(err)
	}
	from, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	k.pour(from, s, 5_000_000)
	if n, longest := tap.in.piece.Load(), tap.in.longest.Load(); n == 0 || n > 700-12 || longest < 5000 {
		t.Errorf("hubbub takes 700 octets; the kernel has it cut %d into pieces of %d", longest, n)
	}
	k.unharmed()
}

// pour sends from a connection of the kernel's to a socket.
func (k *kernel) pour(from net.Conn, to *socket.Socket, bytes int) {
	k.t.Helper()
	data, want := pattern(bytes)
	go func() {
		from.Write(data)
		from.Close()
	}()
	var got []byte
	for {
		b, err := to.Recv(1<<16, 0)
		if err != nil || len(b) == 0 {
			break
		}
		got = append(got, b...)
	}
	if sum(got) != want {
		k.t.Errorf("%d of %d octets arrived", len(got), bytes)
	}
}

// The kernel leaves the checksum of a datagram to hubbub as long as that is one frame; those that
// are fragmented have theirs.
func TestDatagramsCrossATAP(t *testing.T) {
	for _, x := range []struct{ subnet, kernel string }{{subnet, kernelAddr}, {"fd77::/64", "fd77::1"}} {
		k, tap := newWatched(t, x.subnet, x.kernel, 1500)
		h := k.host("feige")
		here, err := h.ListenPacket("udp", ":7")
		if err != nil {
			t.Fatal(err)
		}
		defer here.Close()
		there := k.listenPacketAt(x.kernel, "7")
		go echo(here)
		go echo(there)
		fromKernel, err := k.dial("udp", net.JoinHostPort(h.Addr().String(), "7"))
		if err != nil {
			t.Fatal(err)
		}
		fromHubbub := mustDial(t, h, "udp", net.JoinHostPort(x.kernel, "7"))
		for _, size := range []int{0, 1, 2, 1000, 1452, 1453, 1472, 1473, 20_001, 65_000} {
			exchange(t, x.subnet+": the kernel asks", fromKernel, size)
			exchange(t, x.subnet+": hubbub asks", fromHubbub, size)
		}
		if tap.in.partial.Load() < 5 {
			t.Errorf("%s: the checksum of %d datagrams was left to hubbub, want that of all short ones", x.subnet, tap.in.partial.Load())
		}
		if n := tap.in.longest.Load(); n > 1514 {
			t.Errorf("%s: a frame has %d octets", x.subnet, n)
		}
		k.unharmed()
	}
}

// Whoever turns the card's offload off gets and gives frames that are whole; from then on, and
// in the middle of a connection.
func TestOffloadIsTurnedOffAndOn(t *testing.T) {
	k, tap := newWatched(t, subnet, kernelAddr, 1500)
	h := k.host("feige")
	ln := mustListen(t, h, ":9000")
	out, err := k.dial("tcp", net.JoinHostPort(h.Addr().String(), "9000"))
	if err != nil {
		t.Fatal(err)
	}
	in, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for _, x := range []struct {
		features []string
		whole    bool
	}{
		{nil, false},
		{[]string{"tx", "off", "sg", "off", "tso", "off", "gso", "off"}, true},
		{[]string{"tx", "on", "sg", "on", "tso", "on", "gso", "on"}, false},
	} {
		if x.features != nil {
			if text, err := k.run("ethtool", append([]string{"-K", "hubbub0"}, x.features...)...); err != nil {
				t.Fatalf("ethtool: %v: %s", err, text)
			}
		}
		tap.in.longest.Store(0)
		tap.in.partial.Store(0)
		want, _ := pattern(3_000_000)
		go out.Write(want)
		got := make([]byte, len(want))
		in.SetDeadline(time.Now().Add(patience))
		if n, err := io.ReadFull(in, got); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v: %d octets arrive, %v", x.features, n, err)
		}
		if longest, partial := tap.in.longest.Load(), tap.in.partial.Load(); x.whole != (longest <= 1514) || x.whole && partial > 0 {
			t.Errorf("%v: the longest frame has %d octets, %d have no checksum", x.features, longest, partial)
		}
	}
	k.unharmed()
}

// recorded is an outside without offload, whose frames are noted.
type recorded struct {
	io.ReadWriteCloser
	sync.Mutex
	in [][]byte
}

func (r *recorded) Read(b []byte) (int, error) {
	n, err := r.ReadWriteCloser.Read(b)
	if err == nil {
		r.Lock()
		r.in = append(r.in, bytes.Clone(b[:n]))
		r.Unlock()
	}
	return n, err
}

// pcap returns the frames as a file of libpcap's.
func (r *recorded) pcap() []byte {
	r.Lock()
	defer r.Unlock()
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	for _, x := range []uint32{2 | 4<<16, 0, 0, 1 << 18, 1} {
		b = le.AppendUint32(b, x)
	}
	for i, frame := range r.in {
		for _, x := range []int{i, 0, len(frame), len(frame)} {
			b = le.AppendUint32(b, uint32(x))
		}
		b = append(b, frame...)
	}
	return b
}

// What the kernel cuts and computes itself, of what hubbub has left to it, is right in
// tshark's eyes: it forwards whole segments to a card without offload.
func TestTsharkJudgesWhatTheKernelMakesOfSegments(t *testing.T) {
	command := need.Command(t, "tshark")
	for _, x := range []struct{ name, near, nearKernel, far, farKernel, forwarding string }{
		{"IPv4", subnet, kernelAddr, "10.78.0.0/24", "10.78.0.1", "net/ipv4/ip_forward"},
		{"IPv6", "fd77::/64", "fd77::1", "fd78::/64", "fd78::1", "net/ipv6/conf/all/forwarding"},
	} {
		t.Run(x.name, func(t *testing.T) {
			k, tap := newWatched(t, x.near, x.nearKernel, 1500)
			far, other := k.another(x.far, x.farKernel)
			if text, err := k.run("sh", "-c", "echo 1 >/proc/sys/"+x.forwarding); err != nil {
				t.Fatalf("the kernel doesn't forward: %v: %s", err, text)
			}
			near, host := k.host("near", hubbub.Gateway(x.nearKernel)), far.Host("far", hubbub.Gateway(x.farKernel))
			ln := mustListen(t, host, ":9000")
			out := mustDial(t, near, "tcp", net.JoinHostPort(host.Addr().String(), "9000"))
			in, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			transfer(t, out, in, 2_000_000)
			if n := tap.out.longest.Load(); n < 20_000 {
				t.Errorf("the longest frame to the kernel has %d octets, want whole segments", n)
			}
			k.unharmed()
			read := tsharkReads(t, command, other.pcap())
			if bad := read("ip.checksum.status == 0 or tcp.checksum.status == 0 or udp.checksum.status == 0 or _ws.malformed or frame.len > 1514 or tcp.analysis.lost_segment"); bad != "" {
				t.Errorf("tshark objects to\n%.2000s", bad)
			}
			if n := strings.Count(read("tcp.checksum.status == 1 and tcp.len == 1448 or tcp.checksum.status == 1 and tcp.len == 1428"), "\n"); n < 1000 {
				t.Errorf("tshark finds %d full segments with a right checksum", n)
			}
		})
	}
}

// tsharkReads returns what finds frames in a file.
func tsharkReads(t *testing.T, command string, file []byte) func(filter string) string {
	path := filepath.Join(t.TempDir(), "frames.pcap")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return func(filter string) string {
		t.Helper()
		var problems bytes.Buffer
		cmd := commandWithPatience(t, command, "-r", path, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-Y", filter)
		cmd.Stderr = &problems
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("tshark: %v: %s", err, problems.String())
		}
		return string(out)
	}
}

// another joins a second LAN to the kernel, by a card without offload.
func (k *kernel) another(subnet, address string) (*hubbub.LAN, *recorded) {
	k.t.Helper()
	tap, err := edge.OpenTAPIn(k.namespace, "hubbub1")
	if err != nil {
		k.t.Fatal(err)
	}
	r := &recorded{ReadWriteCloser: tap}
	lan := k.network.LAN("second", subnet)
	lan.Uplink("second linux", r)
	k.must("-n", k.namespace, "link", "set", "hubbub1", "up")
	k.must("-n", k.namespace, "address", "add", address+"/"+strings.Split(subnet, "/")[1], "dev", "hubbub1", "nodad")
	return lan, r
}

// A question and its answer are one frame each way: the answer acknowledges the question, and
// the next question the answer. Nobody waits for a timer.
func TestRoundTripsToTheKernelWaitForNoTimer(t *testing.T) {
	const trips = 500
	k := newKernel(t)
	h := k.host("nick")
	ln := k.listen("7")
	asks := mustDial(t, h, "tcp", net.JoinHostPort(kernelAddr, "7"))
	answers, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer answers.Close()
	go io.Copy(answers, answers)
	asks.SetDeadline(time.Now().Add(patience))
	before, begin := k.uplink.Stats(), time.Now()
	var b [1]byte
	for i := range trips {
		b[0] = byte(i)
		if _, err := asks.Write(b[:]); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(asks, b[:]); err != nil || b[0] != byte(i) {
			t.Fatalf("%d comes back for %d: %v", b[0], byte(i), err)
		}
	}
	after := k.uplink.Stats()
	const others = 20 // such as the kernel's router solicitations, and ARP
	if in, out := after.In-before.In, after.Out-before.Out; in < trips || in > trips+others || out < trips || out > trips+others {
		t.Errorf("%d round trips took %d frames from the kernel and %d to it", trips, in, out)
	}
	// The shortest timer is a delayed acknowledgment's, which is 40 ms.
	if took := time.Since(begin); took > trips*20*time.Millisecond {
		t.Errorf("%d round trips took %v", trips, took)
	}
}
