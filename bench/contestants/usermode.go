package contestants

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// What slirp4netns has for addresses: the namespace's own, and the one behind which the
// namespace finds the machine's loopback interface.
const guestAddress, hostAddress = "10.0.2.100", "10.0.2.2"

// newSlirp joins a namespace to the process's own by slirp4netns.
func newSlirp(s Shape) (Network, error) {
	guest, err := newGuest(s, "slirp4netns")
	if err != nil {
		return nil, err
	}
	directory, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(directory, "slirp")
	c, err := start("slirp4netns", "--configure", "--mtu=1500", "--ready-fd=3", "--api-socket="+socket, "--netns-type=path", guest.path, "tap0")
	if err != nil {
		return nil, err
	}
	n := &edgeNetwork{inward: s.Inward, inside: guest, kernel: hostAddress, behind: "127.0.0.1", close: c.end}
	if !s.Inward {
		return n, os.RemoveAll(directory)
	}
	n.forward = func(port int) error { return errors.Join(slirpForward(socket, port), os.RemoveAll(directory)) }
	return n, nil
}

// slirpForward lets slirp4netns bring connections to a port of this machine into the
// namespace.
func slirpForward(socket string, port int) error {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer c.Close()
	request := fmt.Sprintf(`{"execute": "add_hostfwd", "arguments": {"proto": "tcp", "host_addr": "127.0.0.1", "host_port": %d, "guest_addr": %q, "guest_port": %d}}`,
		port, guestAddress, port)
	if _, err := io.WriteString(c, request); err != nil {
		return err
	}
	var answer struct{ Error any }
	if err := json.NewDecoder(c).Decode(&answer); err != nil || answer.Error != nil {
		return fmt.Errorf("slirp4netns doesn't forward port %d: %v, %w", port, answer.Error, err)
	}
	return nil
}

// newGuest makes the namespace that a program is to join to the process's own.
func newGuest(s Shape, program string) (*namespace, error) {
	if err := alone(s); err != nil {
		return nil, err
	}
	if _, err := exec.LookPath(program); err != nil {
		return nil, fmt.Errorf("%w: it is a program of its own (Debian's package %s)", err, program)
	}
	var here *namespace
	if err := here.ip("link set lo up"); err != nil {
		return nil, err
	}
	guest, err := newNamespace()
	if err != nil {
		return nil, err
	}
	return guest, guest.ip("link set lo up")
}

// A companion is a program that runs as long as this one.
type companion struct{ cmd *exec.Cmd }

// start starts a program, and waits until it has written to its file descriptor 3 that
// it is ready.
func start(name string, args ...string) (companion, error) {
	ready, written, err := os.Pipe()
	if err != nil {
		return companion{}, err
	}
	defer ready.Close()
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	cmd.ExtraFiles = []*os.File{written}
	if err := errors.Join(cmd.Start(), written.Close()); err != nil {
		return companion{}, err
	}
	c := companion{cmd}
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		return c, errors.Join(fmt.Errorf("%s has ended before it was ready: %w", name, err), c.end())
	}
	return c, nil
}

func (c companion) end() error {
	return errors.Join(c.cmd.Process.Kill(), c.cmd.Wait())
}
