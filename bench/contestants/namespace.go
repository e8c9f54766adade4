package contestants

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// A namespace is a network namespace, and a thread that stays in it. Sockets
// that the thread opens are the namespace's wherever they are used.
type namespace struct {
	path  string // by which others find it
	calls chan func()
}

// newNamespace makes a namespace in which there is nothing yet.
func newNamespace() (*namespace, error) {
	n := &namespace{calls: make(chan func())}
	ready := make(chan error)
	go func() {
		// The thread is never unlocked, so that nobody else gets it.
		runtime.LockOSThread()
		n.path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())
		ready <- unix.Unshare(unix.CLONE_NEWNET)
		for f := range n.calls {
			f()
		}
	}()
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("a network namespace takes root: %w", err)
	}
	return n, nil
}

// do calls f in the namespace; without one, where the caller is.
func (n *namespace) do(f func() error) error {
	if n == nil {
		return f()
	}
	done := make(chan error)
	n.calls <- func() { done <- f() }
	return <-done
}

// ip runs ip(8) in the namespace, once for each line.
func (n *namespace) ip(lines ...string) error {
	return n.do(func() error {
		for _, line := range lines {
			if text, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
				return fmt.Errorf("ip %s: %w: %s", line, err, strings.TrimSpace(string(text)))
			}
		}
		return nil
	})
}

// newLinuxRouter makes the process's own namespace a router between two others,
// over two pairs of virtual Ethernet cards.
func newLinuxRouter() (Network, error) {
	if os.Getenv(NamespaceVariable) == "" {
		return nil, errors.New("this machine would be made a router: " +
			"this contestant is started by bench itself, in a network namespace of its own")
	}
	server, err1 := newNamespace()
	client, err2 := newNamespace()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	var router *namespace
	err := errors.Join(
		router.ip(
			"link add near type veth peer name eth0 netns "+server.path,
			"link add far type veth peer name eth0 netns "+client.path,
			"address add 10.0.1.1/24 dev near", "link set near up",
			"address add 10.0.2.1/24 dev far", "link set far up",
		),
		server.ip("address add 10.0.1.2/24 dev eth0", "link set eth0 up", "route add default via 10.0.1.1"),
		client.ip("address add 10.0.2.2/24 dev eth0", "link set eth0 up", "route add default via 10.0.2.1"),
	)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return nil, fmt.Errorf("the namespace can't be made a router: %w", err)
	}
	return &linuxNetwork{address: "10.0.1.2", there: server, here: client}, nil
}
