// Package tcp is the Transmission Control Protocol of RFC 9293: one end of one
// connection ([Conn]), what remains of it in TIME-WAIT ([TimeWait]), and the
// queue policy of a listening port ([Listener]).
//
// These are pure machines. They know neither packets nor sockets nor other
// connections: whoever owns them finds the right one for a segment, hands it
// in, and puts on the wire what comes out. They start nothing and wait for
// nothing; time is an argument. So a test can drive two of them against each
// other through any network, in no time, and the same way every time.
//
// # How to read it
//
// Begin with state.go (the eleven states) and conn.go (what an end remembers,
// with RFC 9293's pictures of the two sequence spaces). Then follow a segment:
// it arrives in arrival.go, which has the steps of RFC 9293, 3.10.7.4 in their
// order, and goes on to ack.go (what it acknowledges) and receive.go (what it
// carries). What goes out is built in send.go, in one function that is asked
// until it has nothing more. Where nothing is amiss plain.go does the same in one piece.
// Each of the other files has one concern:
//
//	open.go synsent.go lifetime.go timewait.go   how a connection begins and ends
//	sent.go                                      what is in flight: a record for each segment
//	sackreport.go sackarrival.go                 selective acknowledgments, told and heard
//	rtt.go rto.go tlp.go rack.go newreno.go      how losses are found
//	recovery.go retransmit.go prr.go undo.go     what is done about them, and how it is taken back
//	congestion.go validation.go rate.go pacing.go ecn.go  how much the network can bear
//	persist.go blackhole.go                      how much the peer can bear, and the path
//	buffers.go memory.go                         how much this host can bear
//	offload.go cork.go                           what goes out together, and what waits for company
//	delack.go reassembly.go                      what is acknowledged when, what waits for a gap to fill
//	timestamps.go keepalive.go urgent.go icmp.go the rest of the protocol
//	listener.go request.go cookie.go isn.go      what servers need besides
//	stream.go options.go errors.go               what the program asks for, and is told
//	timers.go events.go reason.go info.go        time, facts, the reasons of segments, a picture for people
//
// # How a host uses it
//
// After each Handle… and each command: call PollSegment until it reports
// false, PollEvent likewise if Env.Watch is set, and NextTimer for when to
// call HandleTimer. State, Ready and the like then tell what changed.
//
// # How to add to it
//
// A timer: a constant in timers.go with its name, a line in HandleTimer, a
// method that says what is done when it is due. A reason for a segment: a
// constant and a line in reason.go, and who sends it. A congestion control: see
// package congestion. An option that both ends must agree on: offer it in synOptions, agree in
// negotiate, send it in options (all in open.go and send.go), and obey it in
// checkTimestamp's neighbourhood (arrival.go).
package tcp
