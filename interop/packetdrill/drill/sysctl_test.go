package drill

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"hubbub/wire"
)

// A setting that a script's shell command has changed is the host's when the
// next call is made.
func TestTheKernelsSettingsAreTheHosts(t *testing.T) {
	proc := t.TempDir()
	dir := filepath.Join(proc, "net", "ipv4")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, value string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := withSettings(t, Settings{Local: hostAddr.Addr(), MTU: 1500, Proc: proc, Seed: 1})
	offers := func() wire.TCPOptions {
		t.Helper()
		fd := s.want(Socket, numbers(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0))
		to := address(peerAddr)
		s.fails(Connect, numbers(fd, int64(len(to))).with(bufferOf(to)), syscall.EINPROGRESS)
		syn, _, _ := s.hears()
		s.want(Close, numbers(fd))
		return syn.Options
	}
	if !offers().Timestamps {
		t.Error("without a setting there are no timestamps")
	}
	write("tcp_timestamps", "0")
	if offers().Timestamps {
		t.Error("tcp_timestamps = 0 changes nothing")
	}
	write("tcp_timestamps", "nonsense")
	write("tcp_window_scaling", "0")
	if o := offers(); o.Timestamps || o.HasWindowScale {
		t.Error("what isn't a number changes something, or the other setting nothing")
	}
	fd := s.want(Socket, numbers(syscall.AF_INET, syscall.SOCK_STREAM, 0))
	write("tcp_fastopen", "0")
	s.fails(Setsockopt, numbers(fd, syscall.IPPROTO_TCP, 30, 4).with(bufferOf([]byte{1, 0, 0, 0})), syscall.EOPNOTSUPP)
}

// What the kernel's cards are set to is not the host's: its card is wider with
// IPv6.
func TestTheKernelsCardsAreNotTheHosts(t *testing.T) {
	proc := t.TempDir()
	dir := filepath.Join(proc, "net", "ipv6", "conf", "tun0")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"mtu": "1500\n", "disable_ipv6": "1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := withSettings(t, Settings{Local: hostSix.Addr(), Proc: proc, Seed: 1})
	s.listensSix(hostSix)
	s.sendsSix(wire.TCP{Flags: wire.SYN})
	if _, reply := s.hearsSix(); reply.Options.MSS != 1460 {
		t.Errorf("the SYN-ACK's MSS is %d, want 1460", reply.Options.MSS)
	}
}

// What congestion control the kernel was built with is not the script's
// choice; what the script changes it to, is.
func TestTheKernelsOwnCongestionControlIsNotTheHosts(t *testing.T) {
	proc := t.TempDir()
	file := filepath.Join(proc, "net", "ipv4", "tcp_congestion_control")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(value string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("bbr")
	s := withSettings(t, Settings{Local: hostAddr.Addr(), MTU: 1500, Proc: proc, Seed: 1})
	for _, change := range []struct{ to, want string }{{"bbr", "cubic"}, {"reno", "reno"}, {"bbr", "bbr"}} {
		write(change.to)
		s.want(Socket, numbers(syscall.AF_INET, syscall.SOCK_STREAM, 0))
		got, err := s.m.stack.FindSysctl("net.ipv4.tcp_congestion_control")
		if err != nil || got.Value != change.want {
			t.Errorf("after %s it is %s, %v; want %s", change.to, got.Value, err, change.want)
		}
	}
}

// What --so_flags says is checked.
func TestSettings(t *testing.T) {
	got, err := ParseSettings("local_ip=10.1.2.3,mtu=576,proc=none,seed=7")
	if want := (Settings{Local: got.Local, MTU: 576, Proc: "none", Seed: 7}); err != nil || got != want || got.Local.String() != "10.1.2.3" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, flags := range []string{"local_ip=here", "mtu=wide", "colour=blue"} {
		if _, err := ParseSettings(flags); err == nil {
			t.Errorf("%q is accepted", flags)
		}
	}
}

// Without an address in --so_flags, whatever the script binds to or sends to
// is the host's.
func TestAnyAddress(t *testing.T) {
	s := withSettings(t, Settings{MTU: 1500, Proc: "none", Seed: 1})
	was := hostAddr
	hostAddr = anotherAddr
	defer func() { hostAddr = was }()
	if fd, _ := s.connection(); fd < 0 {
		t.Error("there is no connection to another address")
	}
}
