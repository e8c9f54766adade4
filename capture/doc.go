// Package capture reads the stream of package event and makes of it what
// people and their tools look at: capture files, stories, diagrams.
//
//   - [PcapngWriter] writes a pcapng file: an interface for every port, and
//     with every packet why it was sent and what it brought about.
//     [FrameReader] reads such files, and those of other programs.
//   - [Story] tells what happens, a line for each thing, as it happens.
//   - [Ladder] draws the conversations between two ends, with the states of
//     both beside the segments.
//   - [JSONWriter] writes an object for each event, for other programs.
//   - [Explain] prints one frame, layer by layer, down to its bits.
//   - [Filter] chooses frames and events by an expression such as
//     "host nick and tcp port 8080".
//
// The writers are driven by one method, Handle, which is meant to be given to
// the stream as a listener, and are finished by Close. They keep the events
// that they are given, never change them, and keep only a bounded number. None
// of them may be used from several goroutines at once.
//
// To add a protocol: give [Packet] a field for its header and [Decode] a step
// that reads it (packet.go); say in Summary how it looks in one line; add its
// fields to the layers that Explain prints (fields_*.go). To add a way of
// showing the stream: write a type with Handle and Close, and build it on
// Packet and Filter.
package capture
