// Package congestion decides how much a TCP sender lets be in flight, so that
// the network between the two ends can bear it (RFC 5681, 2).
//
// A [Control] is one algorithm at work for one connection. It knows nothing of
// segments: the connection tells it in a [Sample] what an acknowledgment has
// shown, and what happened to the connection ([Control.Lost],
// [Control.TimedOut] and so on), and the control moves the congestion [Window].
// All sizes are in octets.
//
//	reno.go     Reno (RFC 5681), the classic
//	cubic.go    CUBIC (RFC 9438), the default, which hystart.go ends slow start
//	            for before the network loses anything (RFC 9406)
//	bbr.go      BBR, version 3 (draft-ietf-ccwg-bbr), which measures instead of
//	            waiting for losses; bbrstates.go, bbrmodel.go, bbrloss.go and
//	            bbrcontrol.go follow the draft's chapters
//	model.go    what such an algorithm needs besides
//
// To add an algorithm: a type with the methods of Control in a file of its own,
// a line in the table of registry.go, and tests that follow it step by step.
// What it needs to know of an acknowledgment goes into Sample.
package congestion
