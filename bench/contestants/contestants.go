// Package contestants holds what is measured: hubbub, and what a program would
// use instead of it, behind one interface.
//
// To add one: a file with a function that makes its [Network], and a line in
// [All].
package contestants

import (
	"errors"
	"net"
)

// A Network has a server's side and a client's. What they exchange goes through
// the contestant.
type Network interface {
	Listen(port int) (net.Listener, error)
	Dial(port int) (net.Conn, error)
	ListenPacket(port int) (net.PacketConn, error)
	DialPacket(port int) (net.Conn, error)
	Close() error
}

// A Shape is what lies between the server and the client.
type Shape struct {
	Router bool // one router, which forwards each packet
	Inward bool // from outside of the process: the server's side is the contestant's, the other the kernel's
}

// A Contestant is an implementation in one configuration.
type Contestant struct {
	Name  string // on the command line
	Title string // in tables
	About string // how it is set up
	New   func(Shape) (Network, error)
	// Namespace says that its process needs a network namespace of its own.
	Namespace bool
	// Kernel says that part of its memory is the kernel's.
	Kernel bool
}

// Errors of networks that lack something.
var (
	ErrNoRouter  = errors.New("this contestant has no router")
	ErrNoPackets = errors.New("this contestant has no datagrams")
)

// All returns the contestants, in the order of the tables.
func All() []*Contestant {
	return []*Contestant{
		{
			Name: "hubbub", Title: "hubbub",
			About: "two hosts on a switch, MTU 1500, as it comes: segments that leave together travel together",
			New:   func(s Shape) (Network, error) { return newHubbub(s, 1500, true) },
		},
		{
			Name: "hubbub-1500", Title: "hubbub, frame by frame",
			About: "two hosts on a switch, MTU 1500: each frame crosses it by itself; segments are cut in the one stack and joined in the other",
			New:   func(s Shape) (Network, error) { return newHubbub(s, 1500, false) },
		},
		{
			Name: "hubbub-9000", Title: "hubbub, frame by frame, 9000",
			About: "the same at MTU 9000",
			New:   func(s Shape) (Network, error) { return newHubbub(s, 9000, false) },
		},
		{
			Name: "gvisor-1500", Title: "gVisor at its best, 1500",
			About: "two stacks joined by link/pipe, MTU 1500, no checksums, segments cut in the stack, SACK, buffers that grow to 4 MiB",
			New:   func(s Shape) (Network, error) { return newGVisor(s, gvisor{mtu: 1500, tuned: true}) },
		},
		{
			Name: "gvisor-stock", Title: "gVisor, stock, 1500",
			About: "two stacks joined by link/pipe, MTU 1500, nothing set",
			New:   func(s Shape) (Network, error) { return newGVisor(s, gvisor{mtu: 1500}) },
		},
		{
			Name: "gvisor-9000", Title: "gVisor at its best, 9000",
			About: "as gVisor at its best, MTU 9000",
			New:   func(s Shape) (Network, error) { return newGVisor(s, gvisor{mtu: 9000, tuned: true}) },
		},
		{
			Name: "gvisor-64k", Title: "gVisor, 64 KiB",
			About: "one stack with link/loopback, MTU 65536, no checksums, SACK, buffers that grow to 4 MiB",
			New:   func(s Shape) (Network, error) { return newGVisor(s, gvisor{loopback: true, tuned: true}) },
		},
		{
			Name: "linux", Title: "Linux", Kernel: true,
			About: "the loopback interface as it comes: MTU 65536, with offload",
			New:   func(s Shape) (Network, error) { return newLinux(s, 0) },
		},
		{
			Name: "linux-1500", Title: "Linux, 1500", Kernel: true, Namespace: true,
			About: "the loopback interface of a network namespace of its own, MTU 1500, no offload",
			New:   func(s Shape) (Network, error) { return newLinux(s, 1500) },
		},
		{
			Name: "linux-9000", Title: "Linux, 9000", Kernel: true, Namespace: true,
			About: "the same at MTU 9000",
			New:   func(s Shape) (Network, error) { return newLinux(s, 9000) },
		},
		{
			Name: "hubbub-tap", Title: "hubbub on a TAP", Namespace: true,
			About: "a host on a switch, whose uplink is a TAP, MTU 1500, as it comes: whole segments, checksums left to be computed (virtio-net headers)",
			New:   func(s Shape) (Network, error) { return newHubbubTAP(s, true) },
		},
		{
			Name: "hubbub-frames", Title: "hubbub on a TAP, plain frames", Namespace: true,
			About: "the same with frames as they are",
			New:   func(s Shape) (Network, error) { return newHubbubTAP(s, false) },
		},
		{
			Name: "veth", Title: "Linux, veth", Namespace: true,
			About: "two network namespaces joined by a pair of virtual Ethernet cards, MTU 1500, as they come: with offload",
			New:   newVeth,
		},
		{
			Name: "gvisor-tun", Title: "gVisor on a TUN", Namespace: true,
			About: "a stack with link/fdbased on a TUN, MTU 1500, set as at its best",
			New:   func(s Shape) (Network, error) { return newGVisorTUN(s) },
		},
		{
			Name: "slirp4netns", Title: "slirp4netns", Namespace: true,
			About: "two network namespaces joined by slirp4netns, MTU 1500",
			New:   newSlirp,
		},
		{
			Name: "pipe", Title: "net.Pipe",
			About: "the standard library's connection in memory, without a network and without a buffer",
			New:   newPipes,
		},
		{
			Name: "ceiling", Title: "the ceiling",
			About: "copy in, hand over, copy out: two goroutines, a channel, chunks of 64 KiB",
			New:   newCeiling,
		},
	}
}

// Find returns the contestant of that name, nil if there is none.
func Find(name string) *Contestant {
	for _, c := range All() {
		if c.Name == name {
			return c
		}
	}
	return nil
}
