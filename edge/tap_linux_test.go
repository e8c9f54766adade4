package edge_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"hubbub/edge"
	"hubbub/internal/need"
)

// namespace makes a network namespace for one test.
func namespace(t *testing.T) (ip, name string) {
	t.Helper()
	ip = need.NetworkNamespaces(t)
	name = fmt.Sprintf("hubbub-edge-%d", os.Getpid())
	run(t, ip, "netns", "add", name)
	t.Cleanup(func() { run(t, ip, "netns", "delete", name) })
	return ip, name
}

func run(t *testing.T, ip string, args ...string) {
	t.Helper()
	if out, err := exec.Command(ip, args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func TestTAPInANamespace(t *testing.T) {
	ip, name := namespace(t)
	tap, err := edge.OpenTAPIn(name, "shout%d")
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	if tap.Name() != "shout0" {
		t.Errorf("the card is called %q, want shout0", tap.Name())
	}
	if _, err := net.InterfaceByName(tap.Name()); err == nil {
		t.Error("the card is outside of the namespace")
	}
	frame := append(bytes.Repeat([]byte{0xff}, 12), 0x88, 0xb5, 'h', 'i')
	if _, err := tap.Write(frame); !errors.Is(err, syscall.EIO) {
		t.Errorf("the card is down: %v, want EIO", err)
	}
	if _, err := edge.OpenTAPIn(name, tap.Name()); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("the card is opened twice: %v, want EBUSY", err)
	}
	run(t, ip, "-n", name, "link", "set", tap.Name(), "up")
	if _, err := tap.Write(frame); err != nil {
		t.Errorf("the card is up: %v", err)
	}
	var inside *net.Interface
	if err := edge.InNamespace(name, func() (err error) {
		inside, err = net.InterfaceByName(tap.Name())
		return err
	}); err != nil || inside.Flags&net.FlagUp == 0 {
		t.Errorf("inside the card is %+v, %v", inside, err)
	}
}

func TestTAPCloseEndsARead(t *testing.T) {
	_, name := namespace(t)
	tap, err := edge.OpenTAPIn(name, "shout0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := tap.Read(make([]byte, 2000)) // the card is down: nothing comes
		ended <- err
	}()
	tap.Close()
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("the read ends with %v, want os.ErrClosed", err)
	}
}

func TestWrongNames(t *testing.T) {
	if _, err := edge.OpenTAP("a-name-that-is-much-too-long"); err == nil || !strings.Contains(err.Error(), "at most 15 bytes") {
		t.Errorf("a long name: %v", err)
	}
	for _, name := range []string{"", "..", "a/b"} {
		if _, err := edge.OpenTAPIn(name, "shout0"); err == nil || !strings.Contains(err.Error(), "as `ip netns list` shows it") {
			t.Errorf("the namespace %q: %v", name, err)
		}
	}
	if _, err := edge.OpenTAPIn("hubbub-no-such-namespace", "shout0"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a namespace that isn't there: %v", err)
	}
}

func TestInNamespaceReturnsTheError(t *testing.T) {
	_, name := namespace(t)
	want := errors.New("as it was")
	if err := edge.InNamespace(name, func() error { return want }); err != want {
		t.Errorf("%v, want %v", err, want)
	}
}
