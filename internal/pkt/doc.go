// Package pkt holds the bytes that travel: payload that is stored once and
// shared ([View]), streams of it ([Queue]) and the frame in flight ([Packet]).
//
// A program's bytes are copied once into a pooled chunk when they are written
// and once out of it when they are read. In between, the sender's
// retransmission queue, every frame on a cable and the receiver's queue hold
// views of that one chunk, each with a reference. Bytes that were handed out
// never change; the free end of a chunk may still be filled by the queue that
// owns it.
//
// A [Packet] has one owner at a time. Whoever is given one passes it on or
// releases it. A device that sends one frame out of several ports clones it:
// headers are copied, the payload is shared.
package pkt
