// Package event is the one stream of what happened in a world, and why.
//
// Everything that a user is ever shown is read from this stream: captures,
// ladder diagrams, the page, the console, the story of a failed test. An
// [Event] has the world's time, the node it happened at, and the id of the
// event that caused it, so that anything can be followed back: this
// acknowledgement, that segment, that retransmission time-out, that frame,
// that cut cable.
//
// The protocol machines don't know the stream. They return facts; stack and
// sim publish them. Where nobody listens, publishing costs one branch.
//
// To add a kind of event: write its type in the file of its layer, give it an
// isBody method and a String method (one line, as a log would print it), and
// publish it where the fact is drained.
package event
