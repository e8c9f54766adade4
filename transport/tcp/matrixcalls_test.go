package tcp

import (
	"errors"
	"fmt"
	"time"

	"hubbub/internal/pkt"
)

// calls is the event that the program calls.
func calls(name string, with setting, call func(m *matrixEnd) string) matrixEvent {
	return matrixEvent{name: name, with: with, happens: func(m *matrixEnd) string {
		if result := call(m); result != "" {
			return "returns: " + result
		}
		return ""
	}}
}

// told is what the program gets of an error.
func told(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// RFC 9293, 3.10.2 to 3.10.6. SEND: "Queue the data for transmission after
// entering ESTABLISHED state" before it, "Segmentize the buffer and send it" in
// ESTABLISHED and CLOSE-WAIT, "Return "error: connection closing"" later. RECEIVE:
// what has come is read, in order. CLOSE: a FIN follows what was written. ABORT:
// "<SEQ=SND.NXT><CTL=RST> All queued SENDs and RECEIVEs should be given
// "connection reset" notification". STATUS tells the state.
//
// OPEN is a matter of whoever owns the ports: it is in package stack's matrix.
func userCalls() []matrixEvent {
	return []matrixEvent{
		calls("SEND", setting{}, func(m *matrixEnd) string {
			return told(m.c.Write(m.now, m.gives(pkt.CopyView(octets(0, 100)))))
		}),
		calls("SEND urgent data", setting{quiet: true}, func(m *matrixEnd) string {
			_, err := m.c.WriteUrgent(m.now, octets(0, 5))
			return told(err)
		}),
		calls("RECEIVE", setting{}, receive),
		calls("RECEIVE of what has come", setting{unread: true}, receive),
		calls("CLOSE of our direction", setting{quiet: true}, func(m *matrixEnd) string { return told(m.c.CloseWrite(m.now)) }),
		calls("CLOSE", setting{quiet: true}, func(m *matrixEnd) string { m.c.Close(m.now); return "" }),
		calls("CLOSE with data unread", setting{quiet: true, unread: true}, func(m *matrixEnd) string { m.c.Close(m.now); return "" }),
		calls("data after CLOSE", setting{quiet: true}, func(m *matrixEnd) string {
			m.c.Close(m.now)
			m.skip()
			m.peer().sends(fmt.Sprintf("A %d:%d ack %d", m.rcvNxt(), m.rcvNxt()+10, m.sndNxt()))
			return ""
		}),
		calls("ABORT", setting{}, func(m *matrixEnd) string { m.c.Abort(m.now); return "" }),
		calls("STATUS", setting{}, func(m *matrixEnd) string { return m.c.Info().State.String() }),
		calls("a soft ICMP error", setting{}, func(m *matrixEnd) string {
			m.c.HandleUnreachable(m.now, errUnreachable, false, m.c.snd.una)
			return ""
		}),
		calls("a hard ICMP error", setting{}, func(m *matrixEnd) string {
			m.c.HandleUnreachable(m.now, errUnreachable, true, m.c.snd.una)
			return ""
		}),
	}
}

var errUnreachable = errors.New("unreachable")

// receive reads what there is, and says what a program is told that can't wait.
func receive(m *matrixEnd) string {
	v := m.c.Read(m.now, 100)
	defer v.Release()
	switch {
	case v.Len() > 0:
		return fmt.Sprintf("%d octets", v.Len())
	case m.c.Err() != nil:
		return told(m.c.Err())
	case m.c.EOF():
		return "the end of the stream"
	}
	return "nothing yet"
}

// due is the event that a timer comes due, after what sets it.
func due(name string, timer Timer, with setting, setup func(m *matrixEnd)) matrixEvent {
	return matrixEvent{name: name, with: with, happens: func(m *matrixEnd) string {
		setup(m)
		m.drain()
		m.sent = nil
		if !m.c.timers.running(timer) {
			return "the timer isn't running"
		}
		m.pass(m.c.timers.at(timer))
		return ""
	}}
}

// lasts lets so much time pass, if the timer is running, and counts what is sent
// meanwhile.
func lasts(name string, timer Timer, with setting, d time.Duration, setup func(m *matrixEnd)) matrixEvent {
	return matrixEvent{name: name, with: with, happens: func(m *matrixEnd) string {
		setup(m)
		m.drain()
		m.sent = nil
		if !m.c.timers.running(timer) {
			return "the timer isn't running"
		}
		n, end := 0, m.now.Add(d)
		for m.c.NextTimer().Due(end) {
			m.now = max(m.now, m.c.NextTimer())
			m.c.HandleTimer(m.now)
			m.drain()
			n, m.sent = n+len(m.sent), nil
		}
		m.now = end
		return fmt.Sprintf("%d segments meanwhile", n)
	}}
}

func asItIs(*matrixEnd) {}

// RFC 9293, 3.10.8: "USER TIMEOUT: For any state if the user timeout expires,
// flush all queues, signal the user "error: connection aborted due to user timeout"
// ..., delete the TCB, enter the CLOSED state, and return. RETRANSMISSION TIMEOUT:
// For any state if the retransmission timeout expires on a segment in the
// retransmission queue, send the segment at the front of the retransmission queue
// again, reinitialize the retransmission timer, and return. TIME-WAIT TIMEOUT: If
// the time-wait timeout expires on a connection, delete the TCB, enter the CLOSED
// state, and return." Keep-alive: RFC 9293, 3.8.4. Persist: RFC 9293, 3.8.6.1.
// Delayed ACK: RFC 9293, 3.8.6.3. FIN-WAIT-2 is limited where nobody waits for the
// peer any more, as in Linux.
func timeouts() []matrixEvent {
	keep := KeepAlive{On: true, Idle: 60 * ms, Interval: 20 * ms, Probes: 3}
	return []matrixEvent{
		due("retransmission time-out", TimerRetransmit, setting{}, asItIs),
		lasts("retransmission time-out, until R2", TimerRetransmit, setting{}, time.Hour, asItIs),
		lasts("user time-out", TimerRetransmit, setting{}, 5*time.Second, func(m *matrixEnd) {
			m.c.SetUserTimeout(5 * time.Second)
			if m.c.CanWrite() {
				m.writes(1)
			}
		}),
		due("TIME-WAIT time-out", TimerLifetime, setting{}, asItIs),
		due("FIN-WAIT-2 time-out, after CLOSE", TimerLifetime, setting{quiet: true}, func(m *matrixEnd) { m.c.Close(m.now) }),
		due("keep-alive time-out", TimerKeepAlive, setting{quiet: true}, func(m *matrixEnd) { m.c.SetKeepAlive(m.now, keep) }),
		lasts("keep-alive time-out, until the peer is given up", TimerKeepAlive, setting{quiet: true}, 130*ms, func(m *matrixEnd) { m.c.SetKeepAlive(m.now, keep) }),
		due("persist time-out", TimerPersist, setting{shut: true}, asItIs),
		lasts("persist time-out, until R2", TimerPersist, setting{shut: true}, 2*time.Hour, asItIs),
		due("delayed-ACK time-out", TimerDelayedACK, setting{}, func(m *matrixEnd) {
			m.peer().sends(fmt.Sprintf("A %d:%d ack %d", m.rcvNxt(), m.rcvNxt()+10, m.sndUna()))
		}),
	}
}
