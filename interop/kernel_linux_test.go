package interop_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hubbub"
	"hubbub/edge"
	"hubbub/internal/need"
)

// The kernel's address on the LAN, and the LAN's subnet.
const (
	kernelAddr = "10.77.0.1"
	subnet     = "10.77.0.0/24"
)

// patience is how long anything may take before the test fails.
const patience = 60 * time.Second

// kernel is the Linux kernel as a host of a hubbub LAN.
type kernel struct {
	t         *testing.T
	ip        string // the command
	namespace string
	network   *hubbub.Network
	lan       *hubbub.LAN
	uplink    *hubbub.Uplink
}

var namespaces atomic.Int32

// newKernel makes a namespace with a TAP card, and a LAN whose uplink it is.
func newKernel(t *testing.T, options ...hubbub.UplinkOption) *kernel {
	k := newKernelOn(t, subnet, nil, options...)
	k.must("-n", k.namespace, "address", "add", kernelAddr+"/24", "dev", "hubbub0")
	return k
}

// newKernelOn is newKernel with another LAN, and no address.
func newKernelOn(t *testing.T, subnet string, lan []hubbub.LANOption, options ...hubbub.UplinkOption) *kernel {
	return newKernelBy(t, func(tap *edge.TAP) io.ReadWriteCloser { return tap }, subnet, lan, options...)
}

// newKernelBy is newKernelOn with something between the TAP and the uplink.
func newKernelBy(t *testing.T, by func(*edge.TAP) io.ReadWriteCloser, subnet string, lan []hubbub.LANOption, options ...hubbub.UplinkOption) *kernel {
	return newKernelBehind(t, func(namespace string) (io.ReadWriteCloser, error) {
		tap, err := edge.OpenTAPIn(namespace, "hubbub0")
		if err != nil {
			return nil, err
		}
		return by(tap), nil
	}, subnet, lan, options...)
}

// newKernelBehind makes a namespace with whatever card open makes, hubbub0, and a LAN whose uplink it is.
func newKernelBehind(t *testing.T, open func(namespace string) (io.ReadWriteCloser, error), subnet string, lan []hubbub.LANOption, options ...hubbub.UplinkOption) *kernel {
	k := &kernel{t: t, ip: need.NetworkNamespaces(t)}
	k.sweep()
	k.namespace = fmt.Sprintf("hubbub-%d-%d", os.Getpid(), namespaces.Add(1))
	k.must("netns", "add", k.namespace)
	t.Cleanup(func() {
		k.endRest()
		k.must("netns", "delete", k.namespace)
	})
	outside, err := open(k.namespace)
	if err != nil {
		t.Fatal(err)
	}
	k.network = hubbub.New()
	t.Cleanup(func() { k.network.Close() })
	k.lan = k.network.LAN("lan", subnet, lan...)
	k.uplink = k.lan.Uplink("linux", outside, options...)
	k.must("-n", k.namespace, "link", "set", "lo", "up")
	k.must("-n", k.namespace, "link", "set", "hubbub0", "up")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the uplink: %+v, discards %v", k.uplink.Stats(), k.uplink.Discards())
			for _, h := range k.network.Hosts() {
				t.Logf("%s: discards %v, sockets %v", h.Name(), h.Discards(), h.Netstat())
			}
		}
	})
	return k
}

// endRest ends what a program has left running in the namespace: some go on in
// the background, with all that they have inherited.
func (k *kernel) endRest() {
	out, _ := exec.Command(k.ip, "netns", "pids", k.namespace).Output() // what is no namespace has no programs
	for _, field := range strings.Fields(string(out)) {
		if pid, err := strconv.Atoi(field); err == nil && pid != os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by itself
		}
	}
}

// sweep deletes the namespaces of earlier runs that were killed.
func (k *kernel) sweep() {
	left, _ := filepath.Glob("/run/netns/hubbub-*-*")
	for _, path := range left {
		name := filepath.Base(path)
		pid, err := strconv.Atoi(strings.Split(name, "-")[1])
		if err != nil || syscall.Kill(pid, 0) != syscall.ESRCH {
			continue
		}
		// Another run may be sweeping too: whoever is second finds nothing.
		_ = exec.Command(k.ip, "netns", "delete", name).Run()
	}
}

// host adds a hubbub host to the LAN.
func (k *kernel) host(name string, options ...hubbub.HostOption) *hubbub.Host {
	k.t.Helper()
	h := k.lan.Host(name, options...)
	if err := k.network.Err(); err != nil {
		k.t.Fatal(err)
	}
	return h
}

// must runs ip(8).
func (k *kernel) must(args ...string) {
	k.t.Helper()
	if out, err := exec.Command(k.ip, args...).CombinedOutput(); err != nil {
		k.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// command is a program in the namespace, which dies with the test.
func (k *kernel) command(name string, args ...string) *exec.Cmd {
	k.t.Helper()
	path := need.Command(k.t, name)
	return commandWithPatience(k.t, k.ip, append([]string{"netns", "exec", k.namespace, path}, args...)...)
}

// commandWithPatience is a program that dies with the test.
func commandWithPatience(t *testing.T, path string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, path, args...)
}

// run runs a program in the namespace and returns what it says.
func (k *kernel) run(name string, args ...string) (string, error) {
	k.t.Helper()
	out, err := k.command(name, args...).CombinedOutput()
	return string(out), err
}

// listen opens a listener of the kernel's.
func (k *kernel) listen(port string) net.Listener { return k.listenAt(kernelAddr, port) }

// listenAt is listen at another address.
func (k *kernel) listenAt(address, port string) net.Listener {
	k.t.Helper()
	var ln net.Listener
	k.inside(func() (err error) {
		ln, err = net.Listen("tcp", net.JoinHostPort(address, port))
		return err
	})
	k.t.Cleanup(func() { ln.Close() })
	return ln
}

// listenPacket opens a UDP socket of the kernel's.
func (k *kernel) listenPacket(port string) net.PacketConn { return k.listenPacketAt(kernelAddr, port) }

// listenPacketAt is listenPacket at another address.
func (k *kernel) listenPacketAt(address, port string) net.PacketConn {
	k.t.Helper()
	var conn net.PacketConn
	k.inside(func() (err error) {
		conn, err = net.ListenPacket("udp", net.JoinHostPort(address, port))
		return err
	})
	k.t.Cleanup(func() { conn.Close() })
	return conn
}

// dial opens a connection of the kernel's.
func (k *kernel) dial(network, address string) (conn net.Conn, err error) {
	k.t.Helper()
	inside := edge.InNamespace(k.namespace, func() error {
		conn, err = net.DialTimeout(network, address, patience)
		return nil
	})
	if inside != nil {
		k.t.Fatal(inside)
	}
	if err == nil {
		k.t.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

func (k *kernel) inside(f func() error) {
	k.t.Helper()
	if err := edge.InNamespace(k.namespace, f); err != nil {
		k.t.Fatal(err)
	}
}

// until polls, in the network's time, until f holds.
func (k *kernel) until(what string, f func() bool) {
	k.t.Helper()
	for end := k.network.Elapsed() + 10*time.Second; !f(); k.network.Sleep(5 * time.Millisecond) {
		if k.network.Elapsed() > end {
			k.t.Fatalf("after 10 s it is still not so: %s", what)
		}
	}
}

// pattern gives n bytes that never repeat themselves at a segment's length,
// and their sum.
func pattern(n int) ([]byte, string) {
	b := make([]byte, n)
	x := uint64(0x9e3779b97f4a7c15)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b, sum(b)
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// drain reads a connection to its end and returns the length and the sum.
func drain(c net.Conn) (int64, string, error) {
	c.SetDeadline(time.Now().Add(patience))
	h := sha256.New()
	n, err := io.Copy(h, c)
	return n, hex.EncodeToString(h.Sum(nil)), err
}

// mustDial and mustListen are the hubbub host's.
func mustDial(t *testing.T, h *hubbub.Host, network, address string) net.Conn {
	t.Helper()
	c, err := h.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustListen(t *testing.T, h *hubbub.Host, address string) net.Listener {
	t.Helper()
	ln, err := h.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}
