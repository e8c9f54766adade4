package tcp

import (
	"fmt"
	"slices"
)

// matrixEvents are the rows of the matrix: what arrives, what the program asks
// for, what comes due.
func matrixEvents() []matrixEvent {
	return slices.Concat(arrivingSYNs(), arrivingACKs(), arrivingText(), arrivingFINs(), arrivingResets(), userCalls(), timeouts())
}

// arrives is the event that a segment arrives. Its spec is made from RCV.NXT,
// SND.NXT, SND.UNA and RCV.NXT+RCV.WND.
func arrives(name string, spec func(r, n, u, edge int) string) matrixEvent {
	return matrixEvent{name: name, happens: func(m *matrixEnd) string {
		text := spec(m.rcvNxt(), m.sndNxt(), m.sndUna(), m.edge())
		verdict := Keep
		if m.c.State() == StateTimeWait {
			seg := m.parse(text)
			tw := m.c.TimeWait()
			_, _, verdict = tw.HandleSegment(m.now, NewEnv(m.env.Config), &seg)
			seg.drop()
		}
		m.peer().sends(text)
		if verdict == Reopen {
			return "a new connection may begin" // MAY-2
		}
		return ""
	}}
}

// RFC 9293, 3.10.7.4 and RFC 5961, 4.2 (R5961-3): "if the SYN bit is set,
// irrespective of the sequence number, TCP endpoints MUST send a "challenge ACK"
// to the remote peer"; in SYN-RECEIVED "If the connection was initiated with a
// passive OPEN, then return this connection to the LISTEN state and return.
// Otherwise, handle per the directions for synchronized states below." In
// SYN-SENT, RFC 9293, 3.10.7.3: a SYN alone makes it SYN-RECEIVED, and one that
// acknowledges ours ESTABLISHED.
func arrivingSYNs() []matrixEvent {
	return []matrixEvent{
		arrives("SYN in the window", func(r, _, _, _ int) string { return fmt.Sprintf("S %d", r) }),
		arrives("SYN left of the window", func(r, _, _, _ int) string { return fmt.Sprintf("S %d", r-10) }),
		arrives("SYN right of the window", func(_, _, _, edge int) string { return fmt.Sprintf("S %d", edge+10) }),
		arrives("SYN that came before", func(_, _, _, _ int) string { return "S 0" }),
		arrives("SYN+ACK of all", func(r, n, _, _ int) string { return fmt.Sprintf("SA %d ack %d", r, n) }),
		arrives("SYN+ACK of what was not sent", func(r, n, _, _ int) string { return fmt.Sprintf("SA %d ack %d", r, n+1) }),
		arrives("SYN+ACK that came before", func(_, _, _, _ int) string { return "SA 0 ack 1" }),
	}
}

// RFC 9293, 3.10.7.4: "If SND.UNA < SEG.ACK =< SND.NXT, then set
// SND.UNA <- SEG.ACK." "If the ACK is a duplicate (SEG.ACK =< SND.UNA), it can be
// ignored. If the ACK acks something not yet sent (SEG.ACK > SND.NXT), then send
// an ACK, drop the segment, and return." RFC 5961, 5.2 (R5961-4): "The ACK value
// is considered acceptable only if it is in the range of ((SND.UNA - MAX.SND.WND)
// <= SEG.ACK <= SND.NXT)". In FIN-WAIT-1, CLOSING and LAST-ACK the ACK of our FIN
// leads on. In SYN-SENT and SYN-RECEIVED one that isn't acceptable is answered by
// a reset; "if the ACK bit is off, drop the segment and return".
func arrivingACKs() []matrixEvent {
	return []matrixEvent{
		arrives("ACK of all", func(r, n, _, _ int) string { return fmt.Sprintf("A %d ack %d", r, n) }),
		arrives("ACK of a part", func(r, n, u, _ int) string { return fmt.Sprintf("A %d ack %d", r, min(u+5, n)) }),
		arrives("ACK of nothing new", func(r, _, u, _ int) string { return fmt.Sprintf("A %d ack %d", r, u) }),
		arrives("ACK of before", func(r, _, u, _ int) string { return fmt.Sprintf("A %d ack %d", r, u-100) }),
		arrives("ACK of long ago", func(r, _, u, _ int) string { return fmt.Sprintf("A %d ack %d", r, u-70000) }),
		arrives("ACK of the future", func(r, n, _, _ int) string { return fmt.Sprintf("A %d ack %d", r, n+1) }),
		arrives("ACK with another window", func(r, _, u, _ int) string { return fmt.Sprintf("A %d ack %d win 500", r, u) }),
		arrives("ACK left of the window", func(r, n, _, _ int) string { return fmt.Sprintf("A %d ack %d", r-1, n) }),
		arrives("ACK right of the window", func(_, n, _, edge int) string { return fmt.Sprintf("A %d ack %d", edge+1, n) }),
		arrives("no flags", func(r, _, _, _ int) string { return fmt.Sprintf("- %d", r) }),
		arrives("no flags, with data", func(r, _, _, _ int) string { return fmt.Sprintf("- %d:%d", r, r+10) }),
	}
}

// RFC 9293, 3.10.7.4: "Segments are processed in sequence. Initial tests on
// arrival are used to discard old duplicates, but further processing is done in
// SEG.SEQ order. If a segment's contents straddle the boundary between old and
// new, only the new parts are processed." "If an incoming segment is not
// acceptable, an acknowledgment should be sent in reply". After the peer's FIN:
// "This should not occur since a FIN has been received from the remote side.
// Ignore the segment text." URG: "RCV.UP <- max(RCV.UP,SEG.UP), and signal the
// user that the remote side has urgent data".
func arrivingText() []matrixEvent {
	return []matrixEvent{
		arrives("data", func(r, _, u, _ int) string { return fmt.Sprintf("A %d:%d ack %d", r, r+10, u) }),
		arrives("data and ACK of all", func(r, n, _, _ int) string { return fmt.Sprintf("PA %d:%d ack %d", r, r+10, n) }),
		arrives("data after a gap", func(r, _, u, _ int) string { return fmt.Sprintf("A %d:%d ack %d", r+10, r+20, u) }),
		arrives("data left of the window", func(r, _, u, _ int) string { return fmt.Sprintf("A %d:%d ack %d", r-10, r, u) }),
		arrives("data over the left edge", func(r, _, u, _ int) string { return fmt.Sprintf("A %d:%d ack %d", r-5, r+5, u) }),
		arrives("data over the right edge", func(_, _, u, edge int) string { return fmt.Sprintf("A %d:%d ack %d", edge-5, edge+5, u) }),
		arrives("data right of the window", func(_, _, u, edge int) string { return fmt.Sprintf("A %d:%d ack %d", edge+10, edge+20, u) }),
		arrives("data and ACK of the future", func(r, n, _, _ int) string { return fmt.Sprintf("A %d:%d ack %d", r, r+10, n+1) }),
		arrives("urgent data", func(r, _, u, _ int) string { return fmt.Sprintf("UA %d:%d ack %d urg 4", r, r+10, u) }),
		arrives("urgent pointer ahead of its data", func(r, _, u, _ int) string { return fmt.Sprintf("UA %d ack %d urg 4", r, u) }),
	}
}

// RFC 9293, 3.10.7.4, eighth: "If the FIN bit is set, signal the user "connection
// closing" ..., advance RCV.NXT over the FIN, and send an acknowledgment for the
// FIN." "Do not process the FIN if the state is CLOSED, LISTEN, or SYN-SENT".
// ESTABLISHED goes to CLOSE-WAIT; FIN-WAIT-1 to TIME-WAIT if our FIN is
// acknowledged, else to CLOSING; FIN-WAIT-2 to TIME-WAIT; the others remain.
func arrivingFINs() []matrixEvent {
	return []matrixEvent{
		arrives("FIN", func(r, _, u, _ int) string { return fmt.Sprintf("FA %d ack %d", r, u) }),
		arrives("FIN and ACK of all", func(r, n, _, _ int) string { return fmt.Sprintf("FA %d ack %d", r, n) }),
		arrives("FIN with data and ACK of all", func(r, n, _, _ int) string { return fmt.Sprintf("FPA %d:%d ack %d", r, r+10, n) }),
		arrives("FIN after a gap", func(r, _, u, _ int) string { return fmt.Sprintf("FA %d ack %d", r+10, u) }),
		arrives("FIN that came before", func(r, _, u, _ int) string { return fmt.Sprintf("FA %d ack %d", r-1, u) }),
		arrives("FIN right of the window", func(_, _, u, edge int) string { return fmt.Sprintf("FA %d ack %d", edge+10, u) }),
		arrives("FIN without ACK", func(r, _, _, _ int) string { return fmt.Sprintf("F %d", r) }),
	}
}

// RFC 9293, 3.10.7.4 and RFC 5961, 3.2 (R5961-1, R5961-2): "1) If the RST bit is
// set and the sequence number is outside the current receive window, silently drop
// the segment. 2) If the RST bit is set and the sequence number exactly matches the
// next expected sequence number (RCV.NXT), then TCP endpoints MUST reset the
// connection ... 3) If the RST bit is set and the sequence number does not exactly
// match the next expected sequence value, yet is within the current receive window,
// TCP endpoints MUST send an acknowledgment (challenge ACK)". In SYN-SENT, RFC
// 9293, 3.10.7.3: "If the ACK was acceptable, then signal to the user "error:
// connection reset"". In TIME-WAIT no reset counts (RFC 1337, 3).
func arrivingResets() []matrixEvent {
	return []matrixEvent{
		arrives("RST", func(r, _, _, _ int) string { return fmt.Sprintf("R %d", r) }),
		arrives("RST+ACK of all", func(r, n, _, _ int) string { return fmt.Sprintf("RA %d ack %d", r, n) }),
		arrives("RST+ACK of what was not sent", func(r, n, _, _ int) string { return fmt.Sprintf("RA %d ack %d", r, n+1) }),
		arrives("RST with data", func(r, _, _, _ int) string { return fmt.Sprintf("R %d:%d", r, r+10) }),
		arrives("RST in the window", func(r, _, _, _ int) string { return fmt.Sprintf("R %d", r+10) }),
		arrives("RST at the window's last octet", func(_, _, _, edge int) string { return fmt.Sprintf("R %d", edge-1) }),
		arrives("RST left of the window", func(r, _, _, _ int) string { return fmt.Sprintf("R %d", r-1) }),
		arrives("RST right of the window", func(_, _, _, edge int) string { return fmt.Sprintf("R %d", edge) }),
		arrives("RST with SYN", func(r, _, _, _ int) string { return fmt.Sprintf("SR %d", r) }),
	}
}
