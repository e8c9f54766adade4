// Package sim runs a world: devices joined by cables, one clock, one queue of
// what is due, one lock.
//
// Everything in a [World] is plain data that its lock guards. Whoever holds
// the lock runs to completion: [World.Enter] brings the world up to the
// present, the caller changes a device, and [World.Leave] passes on every
// frame that this set in motion until nothing is due any more. A frame on a
// cable without delay thus reaches the other host's socket inside the call
// that sent it.
//
// A pace decides how the world's time follows the time outside. At [Real] and
// [Scaled] pace one goroutine, the pacer, wakes when the next timer is due. At
// [Virtual] pace there is none: the clock stands still while a program runs,
// and jumps to the next timer when none can. The programs of a virtual world
// are started with [World.Go] and run one at a time, handing over a baton
// whenever they wait, in an order that depends on nothing but the seed.
//
// To add a kind of device: write a pure machine with the methods of [Device],
// give it to [World.Add], and join its ports with [World.Join]. If it has
// facts to tell, translate them in facts.go.
package sim
