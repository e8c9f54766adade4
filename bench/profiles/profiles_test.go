package profiles

import (
	"math"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"
)

func TestWhatTheTimeOfASampleWentInto(t *testing.T) {
	for _, x := range []struct{ stack, want string }{
		{"runtime.memmove hubbub/socket.copyOut hubbub/socket.(*Socket).readStream", "copying"},
		{"hubbub/transport/tcp.(*Conn).arrive hubbub/stack.(*Stack).handleSegment", "tcp"},
		{"hubbub/transport/tcp/congestion.(*cubic).Acked hubbub/transport/tcp.(*Conn).grow", "tcp"},
		{"aeshashbody runtime.mapaccess1 hubbub/stack.(*Stack).find hubbub/sim.(*World).deliver", "stack"},
		{"hubbub/network/neigh.(*Cache).Fresh hubbub/stack.(*Stack).frame", "stack"},
		{"hubbub/internal/pkt.(*Queue).Append hubbub/transport/tcp.(*Conn).take", "packets"},
		{"runtime.nanotime time.Since hubbub/sim.(*pace).present", "world"},
		{"runtime.futex runtime.futexwakeup runtime.ready hubbub/sim.(*World).Unlock", "scheduler"},
		{"runtime.procyield internal/sync.(*Mutex).lockSlow hubbub/sim.(*World).Enter", "scheduler"},
		{"runtime.stealWork runtime.findRunnable runtime.schedule", "scheduler"},
		{"runtime.nextFreeFast runtime.mallocgc hubbub/transport/tcp.newConn", "memory"},
		{"runtime.scanobject runtime.gcDrain runtime.gcBgMarkWorker", "memory"},
		{"internal/runtime/syscall/linux.Syscall6 syscall.RawSyscall6 os.(*File).Read hubbub/edge.(*TAP).ReadParts", "kernel"},
		{"hubbub/edge.(*TAP).ReadParts hubbub.(*Network).pump", "uplink"},
		{"hubbub.(*Host).Dial hubbub/bench/workloads.open", "sockets"},
		{"bytes.Equal hubbub/bench/workloads.checkAll", "program"},
		{"hubbubble.Blow main.main", "program"},
		{"", "program"},
	} {
		if got := partOf(strings.Fields(x.stack)); got != x.want {
			t.Errorf("%s: %s, want %s", x.stack, got, x.want)
		}
	}
}

func TestSharesOfAProfileAddUpToOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cpu.prof")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		t.Skip("the tests are profiled themselves: ", err)
	}
	for x := 1.0; x < 3e8; x++ {
		if math.Sqrt(x) < 0 {
			t.Fatal(x)
		}
	}
	pprof.StopCPUProfile()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	shares, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for name, share := range shares {
		if !known(name) {
			t.Errorf("%q is no part", name)
		}
		sum += share
	}
	if math.Abs(sum-1) > 1e-9 || shares["program"] < 0.5 {
		t.Errorf("the shares %v add up to %v", shares, sum)
	}
}

func known(part string) bool {
	for _, p := range Parts() {
		if p.Name == part {
			return true
		}
	}
	return false
}

func TestWhatIsNoProfile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(file); err == nil || !strings.Contains(err.Error(), "text is no profile") {
		t.Error(err)
	}
	if _, err := Read(file + ".none"); err == nil {
		t.Error("no error for a file that isn't there")
	}
}
