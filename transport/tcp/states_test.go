package tcp

import "testing"

// The fixtures: a connection in each state. Relative to it the peer has sent
// its SYN (0) and, where it has closed, its FIN (1); so have we.

func finWait1End(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := establishedEnd(t, adjust...)
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.want().segment("FA 1 ack 1", ReasonFIN)
	e.want().state(StateFinWait1)
	return e
}

func finWait2End(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := finWait1End(t, adjust...)
	e.peer().sends("A 1 ack 2")
	e.want().state(StateFinWait2)
	return e
}

func closeWaitEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := establishedEnd(t, adjust...)
	e.peer().sends("FA 1 ack 1")
	e.want().state(StateCloseWait)
	e.after(e.env.DelayedACK)
	e.want().segment("A 1 ack 2", ReasonDelayedACK)
	return e
}

func closingEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := finWait1End(t, adjust...)
	e.peer().sends("FA 1 ack 1")
	e.want().segment("A 2 ack 2", ReasonFINACK)
	e.want().state(StateClosing)
	return e
}

func lastAckEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := closeWaitEnd(t, adjust...)
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.want().segment("FA 1 ack 2", ReasonFIN)
	e.want().state(StateLastAck)
	return e
}

func timeWaitEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := finWait2End(t, adjust...)
	e.peer().sends("FA 1 ack 2")
	e.want().segment("A 2 ack 2", ReasonFINACK)
	e.want().state(StateTimeWait)
	return e
}

func closedEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := lastAckEnd(t, adjust...)
	e.peer().sends("A 2 ack 2")
	e.want().state(StateClosed)
	return e
}

// fixtures has one for each state but LISTEN, which is a Listener's.
var fixtures = []struct {
	state State
	build func(*testing.T, ...func(*Config)) *end
}{
	{StateClosed, closedEnd},
	{StateSynSent, synSentEnd},
	{StateSynReceived, synReceivedEnd},
	{StateEstablished, establishedEnd},
	{StateFinWait1, finWait1End},
	{StateFinWait2, finWait2End},
	{StateCloseWait, closeWaitEnd},
	{StateClosing, closingEnd},
	{StateLastAck, lastAckEnd},
	{StateTimeWait, timeWaitEnd},
}
