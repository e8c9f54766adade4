package hubbub_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hubbub"
	"hubbub/socket"
)

// A host's settings are read and set by Linux's names, and act at once.
func TestHostSysctl(t *testing.T) {
	n := hubbub.New(hubbub.Virtual())
	defer n.Close()
	room := n.LAN("room", "172.16.10.0/24")
	nick := room.Host("nick")
	if value, err := nick.Sysctl("net.ipv4.tcp_syn_retries"); value != "7" || err != nil {
		t.Errorf("%q, %v", value, err)
	}
	if err := nick.SetSysctl("tcp_syn_retries", "1"); err != nil {
		t.Error(err)
	}
	if value, err := nick.Sysctl("net/ipv4/tcp_syn_retries"); value != "1" || err != nil {
		t.Errorf("%q, %v", value, err)
	}
	room.Host("feige").PowerOff()
	n.Go("program", func() {
		if _, err := nick.Dial("tcp", "feige:80"); !errors.Is(err, syscall.EHOSTUNREACH) && !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("dialling: %v", err)
		}
	})
	if err := n.Run(); err != nil {
		t.Error(err)
	}
	if took := n.Elapsed().Seconds(); took > 3.5 {
		t.Errorf("two SYNs took %v s, want 3", took)
	}
	if _, err := nick.Sysctl("tcp_syn"); err == nil {
		t.Error("an unknown setting can be read")
	}
	found := false
	for _, s := range nick.Sysctls() {
		found = found || s.Name == "net.ipv4.tcp_syn_retries" && s.Value == "1"
	}
	if !found {
		t.Error("the list of settings lacks tcp_syn_retries = 1")
	}
}

// Host.LoadSysctl reads a file in the syntax of sysctl.conf, and tells of
// mistakes with the file's name and the line.
func TestHostLoadSysctl(t *testing.T) {
	n := hubbub.New(hubbub.Virtual())
	defer n.Close()
	nick := n.LAN("room", "172.16.10.0/24").Host("nick")
	name := filepath.Join(t.TempDir(), "my.conf")
	if err := os.WriteFile(name, []byte("# mine\ntcp_sack = 0\ntcp_dsack = 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := nick.LoadSysctl(f); err == nil || err.Error() != name+":3: net.ipv4.tcp_dsack: 7 is not a number from 0 to 1" {
		t.Errorf("%v", err)
	}
	if value, _ := nick.Sysctl("tcp_sack"); value != "0" {
		t.Errorf("tcp_sack is %q, want 0: the line was right", value)
	}
	if err := nick.LoadSysctl(strings.NewReader("x")); err == nil || !strings.HasPrefix(err.Error(), "settings:1: ") {
		t.Errorf("%v", err)
	}
	if err := nick.LoadSysctl(strings.NewReader(strings.Repeat("#", 2<<20))); err == nil {
		t.Error("a file of 2 MiB is read")
	}
	if hubbub.CheckSetting("tcp_sack", "1") != nil || hubbub.CheckSetting("tcp_sack", "x") == nil {
		t.Error("CheckSetting is mistaken")
	}
	if s, err := hubbub.FindSetting("tcp_sack"); err != nil || s.Value != "1" || len(hubbub.DefaultSettings()) < 20 {
		t.Errorf("%+v, %v", s, err)
	}
}

// socket(7): SO_SNDBUF and SO_RCVBUF are doubled when they are set; "the maximum
// allowed value is set by" wmem_max and rmem_max.
func TestBufferOptionsAreBoundedBySysctl(t *testing.T) {
	n := hubbub.New(hubbub.Virtual())
	defer n.Close()
	h := n.LAN("room", "172.16.10.0/24").Host("nick")
	for name, o := range map[string]int{"wmem_max": socket.SO_SNDBUF, "rmem_max": socket.SO_RCVBUF} {
		for limit, want := range map[string]int{"10000": 20_000, "4194304": 100_000} {
			if err := h.SetSysctl(name, limit); err != nil {
				t.Fatal(err)
			}
			for _, kind := range []socket.Type{socket.SOCK_STREAM, socket.SOCK_DGRAM} {
				s, err := h.Socket(socket.AF_INET, kind)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.SetSockOpt(socket.SOL_SOCKET, o, 50_000); err != nil {
					t.Error(err)
				}
				if got, err := s.GetSockOpt(socket.SOL_SOCKET, o); got != want || err != nil {
					t.Errorf("%s = %s: a buffer of 50000 has %d, %v, want %d", name, limit, got, err, want)
				}
			}
		}
	}
}
