package tcp

// A Reason says why a segment is sent.
type Reason uint8

// Every segment has one of these.
const (
	ReasonNone Reason = iota
	ReasonOpen
	ReasonOpenReply
	ReasonOpenRetry
	ReasonCookie
	ReasonAskCookie
	ReasonFastOpen
	ReasonGiveCookie
	ReasonEarly
	ReasonOpenDone
	ReasonData
	ReasonUrgent
	ReasonFIN
	ReasonQuickACK
	ReasonDelayedACK
	ReasonSecondSegment
	ReasonDuplicateACK
	ReasonGapFilled
	ReasonMarked
	ReasonReduced
	ReasonFINACK
	ReasonWindowUpdate
	ReasonWindowFull
	ReasonUnacceptable
	ReasonOldDuplicate
	ReasonUnsentACK
	ReasonChallengeReset
	ReasonChallengeSYN
	ReasonTimeWait
	ReasonFastRetransmit
	ReasonPartialACK
	ReasonRACK
	ReasonLostRepeat
	ReasonSACK
	ReasonLossProbe
	ReasonTryNew
	ReasonLimitedTransmit
	ReasonTimeout
	ReasonPathMTU
	ReasonMTUProbe
	ReasonMTUProbeLost
	ReasonWindowProbe
	ReasonWindowOverride
	ReasonWindowOpened
	ReasonKeepAlive
	ReasonClosedPort
	ReasonBadHandshakeACK
	ReasonOverflow
	ReasonOrphans
	ReasonAbort
	ReasonUnreadData
	ReasonDataAfterClose
	ReasonGaveUp
	ReasonNoMemory
	numReasons
)

// reasons holds for each Reason its words and where they are laid down.
var reasons = [numReasons]struct{ words, rfc string }{
	ReasonNone:            {"no reason", ""},
	ReasonOpen:            {"handshake: asks for a connection", "RFC 9293, 3.5"},
	ReasonOpenReply:       {"handshake: accepts the connection", "RFC 9293, 3.5"},
	ReasonOpenRetry:       {"handshake: no answer, asked again", "RFC 9293, 3.8.3"},
	ReasonCookie:          {"handshake: accepts, and remembers nothing: a SYN cookie", "RFC 4987, 3.6"},
	ReasonAskCookie:       {"handshake: asks for a connection, and for a cookie", "RFC 7413, 4.1.3"},
	ReasonFastOpen:        {"handshake: asks for a connection, with a cookie and data", "RFC 7413, 4.2.1"},
	ReasonGiveCookie:      {"handshake: accepts the connection, and gives a cookie", "RFC 7413, 4.1.2"},
	ReasonEarly:           {"handshake: accepts the connection, and its data", "RFC 7413, 4.2.2"},
	ReasonOpenDone:        {"handshake: acknowledges the peer's SYN", "RFC 9293, 3.5"},
	ReasonData:            {"data", "RFC 9293, 3.7"},
	ReasonUrgent:          {"urgent data", "RFC 9293, 3.8.5"},
	ReasonFIN:             {"no more data to send", "RFC 9293, 3.6"},
	ReasonQuickACK:        {"ACK at once: the connection is young", "RFC 9293, 3.8.6.3"},
	ReasonDelayedACK:      {"delayed ACK", "RFC 9293, 3.8.6.3"},
	ReasonSecondSegment:   {"ACK of a second full segment", "RFC 9293, 3.8.6.3"},
	ReasonDuplicateACK:    {"duplicate ACK: a gap is before what arrived", "RFC 5681, 3.2"},
	ReasonGapFilled:       {"ACK at once: a gap was filled", "RFC 5681, 3.2"},
	ReasonMarked:          {"ACK at once: a packet was marked on its way", "RFC 3168, 6.1.3"},
	ReasonReduced:         {"ACK at once: the peer has reduced its window", "RFC 3168, 6.1.3"},
	ReasonFINACK:          {"ACK of the peer's FIN", "RFC 9293, 3.10.7.4"},
	ReasonWindowUpdate:    {"window update", "RFC 9293, 3.8.6.2.2"},
	ReasonWindowFull:      {"ACK: no room for what arrived", "RFC 9293, 3.8.6.1"},
	ReasonUnacceptable:    {"ACK: what arrived is outside the window", "RFC 9293, 3.10.7.4"},
	ReasonOldDuplicate:    {"ACK: what arrived is an old duplicate by its timestamp", "RFC 7323, 5.3"},
	ReasonUnsentACK:       {"ACK: the peer acknowledged what it can't have", "RFC 5961, 5.2"},
	ReasonChallengeReset:  {"challenge ACK: a reset beside its place", "RFC 5961, 3.2"},
	ReasonChallengeSYN:    {"challenge ACK: a SYN inside a connection", "RFC 5961, 4.2"},
	ReasonTimeWait:        {"ACK from TIME-WAIT", "RFC 9293, 3.10.7.4"},
	ReasonFastRetransmit:  {"fast retransmit: three duplicate ACKs", "RFC 5681, 3.2"},
	ReasonPartialACK:      {"retransmission: a partial ACK shows the next gap", "RFC 6582, 3.2"},
	ReasonRACK:            {"fast retransmit: what was sent later has arrived", "RFC 8985, 6.2"},
	ReasonLostRepeat:      {"fast retransmit: the retransmission was lost, too", "RFC 8985, 6.2"},
	ReasonSACK:            {"fast retransmit: three segments have arrived after a gap", "RFC 6675, 5"},
	ReasonLossProbe:       {"loss probe: an ACK is overdue", "RFC 8985, 7.3"},
	ReasonTryNew:          {"data: shows whether the time-out was for nothing", "RFC 5682, 3.1"},
	ReasonLimitedTransmit: {"data: limited transmit on a duplicate ACK", "RFC 3042, 2"},
	ReasonTimeout:         {"retransmission time-out", "RFC 6298, 5"},
	ReasonPathMTU:         {"retransmission in smaller segments: the path's MTU is smaller", "RFC 1191, 6.4"},
	ReasonMTUProbe:        {"data in a longer segment: shows whether the path lets it through", "RFC 4821, 7.5"},
	ReasonMTUProbeLost:    {"retransmission in shorter segments: the longer one did not get through", "RFC 4821, 7.6.2"},
	ReasonWindowProbe:     {"zero-window probe", "RFC 9293, 3.8.6.1"},
	ReasonWindowOverride:  {"data: waited long enough for a larger window", "RFC 9293, 3.8.6.2.1"},
	ReasonWindowOpened:    {"retransmission: the closed window is open again", "RFC 9293, 3.8.6"},
	ReasonKeepAlive:       {"keep-alive probe", "RFC 9293, 3.8.4"},
	ReasonClosedPort:      {"reset: there is no such connection", "RFC 9293, 3.10.7.1"},
	ReasonBadHandshakeACK: {"reset: acknowledges a SYN that was not sent", "RFC 9293, 3.5.2"},
	ReasonOverflow:        {"reset: nobody accepts connections fast enough", "RFC 9293, 3.10.7.4"},
	ReasonOrphans:         {"reset: too many connections that no program has open any more", "RFC 9293, 3.10.5"},
	ReasonAbort:           {"reset: the program aborted the connection", "RFC 9293, 3.10.5"},
	ReasonUnreadData:      {"reset: closed with data unread", "RFC 9293, 3.6.1"},
	ReasonDataAfterClose:  {"reset: data arrived after close", "RFC 9293, 3.6.1"},
	ReasonNoMemory:        {"reset: the machine has no memory left for a connection that no program has open", "RFC 9293, 3.10.5"},
	ReasonGaveUp:          {"reset: the peer doesn't answer", "RFC 9293, 3.8.3"},
}

// String returns a few words such as "delayed ACK".
func (r Reason) String() string { return reasons[r].words }

// RFC returns where the reason is laid down, such as "RFC 9293, 3.8.6.3".
func (r Reason) RFC() string { return reasons[r].rfc }
