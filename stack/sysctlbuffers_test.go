package stack

import (
	"strings"
	"testing"

	"hubbub/wire"
)

// tcp_rmem: the second number is what receive buffers begin with, the third the
// largest, which decides the window scale. tcp_adv_win_scale: how much of a
// buffer is the window.
func TestSysctlReceiveBuffers(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for _, test := range []struct {
			rmem, scale string
			segments    int // of the longest length that fill the window
			shift       uint8
		}{
			{"4096 131072 6291456", "1", 44 + longer()/20, 7},
			{"4096 131072 33554432", "1", 44 + longer()/20, 10},
			{"4096 40000 6291456", "1", 13, 7},
			{"4096 40000 6291456", "0", 27, 7},
			{"4096 40000 6291456", "2", 20, 7},
			{"4096 40000 6291456", "-2", 6, 7},
		} {
			m := newHost(t)
			m.sysctl("tcp_rmem", test.rmem)
			m.sysctl("tcp_adv_win_scale", test.scale)
			m.reads("tcp_rmem", strings.ReplaceAll(test.rmem, " ", "\t"))
			m.connects(peer + ":80")
			if syn := m.lastSegment(); int(syn.Window) != test.segments*(1460-longer()) || syn.Options.WindowScale != test.shift {
				t.Errorf("%+v: window %d, scale %d", test, syn.Window, syn.Options.WindowScale)
			}
		}
	})
}

// rmem_max and tcp_rmem decide the window scale together.
func TestSysctlReceiveLimit(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("tcp_rmem", "4096 131072 131072")
		m.sysctl("rmem_max", "16777216")
		m.connects(peer + ":80")
		if o := m.lastSegment().Options; o.WindowScale != 9 {
			t.Errorf("the window scale is %d, want 9", o.WindowScale)
		}
	})
}

// tcp_wmem: the second number is what send buffers begin with, the third the
// largest that they grow to.
func TestSysctlSendBuffers(t *testing.T) {
	overEach(t, func(t *testing.T) {
		_, e := opened(t, "tcp_wmem", "4096 20000 30000")
		if n := e.conn.SendBuffer(); n != 30000 {
			t.Errorf("the send buffer has %d octets, want 30000", n)
		}
		_, e = opened(t, "tcp_wmem", "4096 500000 600000")
		if n := e.conn.SendBuffer(); n != 500000 {
			t.Errorf("the send buffer has %d octets, want 500000", n)
		}
	})
}

// tcp_mem: above the third number of pages nothing more is taken in.
// tcp_moderate_rcvbuf: 0 leaves receive buffers as they are.
// tcp_notsent_lowat: so much may be written and not sent, rounded up to a piece of
// half of the peer's window.
func TestSysctlMemory(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, e := opened(t, "tcp_mem", "1 2 3", "tcp_moderate_rcvbuf", "0", "tcp_notsent_lowat", "5000")
		// Six segments of the default length, or three over IPv6, and the rest of
		// half the window.
		if n, want := e.conn.WriteSpace(), map[bool]int{false: 32696, true: 31720}[speaking.six]; n != want {
			t.Errorf("there is room for %d octets, want %d", n, want)
		}
		before := e.conn.ReceiveBuffer()
		for range 20 {
			m.answers(e, wire.PSH, strings.Repeat("x", 1400))
		}
		if used, pressure := m.tcpEnv.Memory(); used < 3*4096 || used > 4*4096 || !pressure {
			t.Errorf("%d octets are taken, short of memory: %v", used, pressure)
		}
		for e.conn.Readable() > 0 {
			e.conn.Read(m.now, 1<<16).Release()
		}
		if n := e.conn.ReceiveBuffer(); n != before {
			t.Errorf("the receive buffer has grown from %d to %d octets", before, n)
		}
	})
}

// rmem_default: so much waits for a reader of datagrams.
func TestSysctlDatagramBuffer(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("rmem_default", "2304")
		e := m.listensUDP(own + ":9")
		for range 3 {
			m.hears(datagram(peer+":1000", own+":9", strings.Repeat("x", 1000)))
		}
		if n := e.Pending(); n != 2 {
			t.Errorf("%d datagrams wait, want 2", n)
		}
		m.discards(discardReceiveBuffer)
	})
}
