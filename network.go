package hubbub

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/sim"
	"hubbub/stack"
	"hubbub/wire"
)

// A Network is a world of LANs, hosts, routers and cables. Its methods may be
// called from any goroutine.
//
// A mistake in building it, such as an address outside its subnet, doesn't
// stop the program: [Network.Err] tells the first one, and so does every call
// on a host that would use the network.
type Network struct {
	world   *sim.World
	epoch   time.Time
	err     error
	names   hostsTable
	lans    []*LAN
	hosts   []*Host
	uplinks []*Uplink
	trunks  []*Trunk
	block   uint16 // of MAC addresses
	serials uint32 // MAC addresses given out
	known   map[string]bool
	config  stack.Config
}

// An Option says what kind of network [New] makes.
type Option func(*settings)

type settings struct {
	seed   uint64
	pace   sim.Pace
	config stack.Config
	block  uint16
}

// CardNumbers gives the network's cards MAC addresses from the block of that
// number, instead of from block 0: networks that are joined need different ones.
func CardNumbers(block uint16) Option { return func(s *settings) { s.block = block } }

// Seed makes the network's random numbers those that belong to seed: the same
// seed, the same packets. Without it the seed is 1.
func Seed(seed uint64) Option { return func(s *settings) { s.seed = seed } }

// Real makes a second of the network last a second. It is the default, and
// the right pace in a testing/synctest bubble.
func Real() Option { return func(s *settings) { s.pace = sim.Real } }

// Virtual makes the network wait for nothing: its clock stands still while a
// program runs, and jumps to the next timer when none can. Its programs are
// started with [Network.Go], and [Network.Run] drives them, one at a time.
func Virtual() Option { return func(s *settings) { s.pace = sim.Virtual } }

// Scaled makes the network's time pass speed times as fast as the time
// outside: 0.001 is slow motion, 0 stands still.
func Scaled(speed float64) Option { return func(s *settings) { s.pace = sim.Scaled(speed) } }

// Config makes f change the configuration that all machines begin with, such
// as the time-outs of TCP.
func Config(f func(*stack.Config)) Option { return func(s *settings) { f(&s.config) } }

// largest is how many octets a segment may have that stands for several: what programs
// write at once, and a packet holds beside its headers. There are such segments where a second lasts
// a second. Elsewhere, where people look closely, every frame is one, whether
// somebody watches or not.
const largest = pkt.MaxView

// virtualEpoch is the time of day at which every virtual world begins.
var virtualEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// New returns an empty network.
func New(options ...Option) *Network {
	s := settings{seed: 1, pace: sim.Real, config: stack.DefaultConfig()}
	s.config.TCP.Offload = largest
	for _, option := range options {
		option(&s)
	}
	if s.pace != sim.Real {
		s.config.TCP.Offload = 0
	}
	n := &Network{
		world: sim.New(s.pace, s.seed), epoch: virtualEpoch, known: make(map[string]bool), config: s.config, block: s.block,
	}
	if !s.pace.IsVirtual() {
		n.epoch = sim.TimeOfDay()
	}
	return n
}

// Close ends the network: everything that waits in it returns an error that
// is [net.ErrClosed], and nothing moves any more. Its uplinks
// and trunks are closed too. It never fails.
func (n *Network) Close() error {
	n.world.Close()
	n.world.Enter()
	uplinks, trunks := n.uplinks, n.trunks
	n.world.Unlock()
	for _, u := range uplinks {
		u.Close()
	}
	for _, t := range trunks {
		t.Close()
	}
	return nil
}

// Err returns the first mistake that was made in building the network, nil if
// there was none.
func (n *Network) Err() error {
	n.world.Enter()
	defer n.world.Unlock()
	return n.err
}

// fail notes a mistake. It needs the lock.
func (n *Network) fail(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if n.err == nil {
		n.err = err
	}
	return err
}

// claim makes name a node's, or notes that another has it. It needs the lock.
func (n *Network) claim(kind, name string) {
	switch {
	case name == "":
		n.fail("a %s has no name", kind)
	case n.known[name]:
		n.fail("%s %q: the name is taken; every host, router and LAN has one of its own", kind, name)
	}
	n.known[name] = true
}

// nextMAC returns a MAC address that no other card of the network has. It is
// one that the network's keeper makes up, as its local bit says.
func (n *Network) nextMAC() wire.MAC {
	n.serials++
	s := n.serials
	return wire.MAC{0x02, byte(n.block >> 8), byte(n.block), byte(s >> 16), byte(s >> 8), byte(s)}
}

// Hosts returns the hosts and routers, in the order in which they were made.
func (n *Network) Hosts() []*Host {
	n.world.Enter()
	defer n.world.Unlock()
	return append([]*Host(nil), n.hosts...)
}

// LANs returns the LANs, in the order in which they were made.
func (n *Network) LANs() []*LAN {
	n.world.Enter()
	defer n.world.Unlock()
	return append([]*LAN(nil), n.lans...)
}

// Lookup returns the host or router of that name, nil if there is none.
func (n *Network) Lookup(name string) *Host {
	n.world.Enter()
	defer n.world.Unlock()
	for _, h := range n.hosts {
		if h.name == name {
			return h
		}
	}
	return nil
}

// AddName makes the network's hosts find addr under one more name.
func (n *Network) AddName(name string, addr netip.Addr) {
	n.world.Enter()
	defer n.world.Unlock()
	n.names.add(name, addr)
}

// Names returns the name of every address that has one: the first that it
// was given. A host's link-local addresses have its name too.
func (n *Network) Names() map[netip.Addr]string {
	n.world.Enter()
	defer n.world.Unlock()
	names := n.names.byAddress()
	for _, h := range n.hosts {
		for _, a := range h.attachments {
			if link := a.link(); link.IsValid() && names[link] == "" {
				names[link] = h.name
			}
		}
	}
	return names
}

// Now returns the network's time as a time of day. A virtual network begins at
// midnight of 1 January 2000, UTC; any other when it is made.
func (n *Network) Now() time.Time { return n.epoch.Add(n.Elapsed()) }

// Elapsed returns how much time has passed in the network.
func (n *Network) Elapsed() time.Duration {
	now := n.world.Enter()
	n.world.Unlock()
	return time.Duration(now)
}

// Go starts a program: a function that uses the network's hosts. In a virtual
// network programs must be started so; they run one at a time, beginning when
// [Network.Run] drives the network. name is for messages.
func (n *Network) Go(name string, f func()) { n.world.Go(name, f) }

// Run drives a virtual network until all its programs have ended; at any other
// pace it waits until they have. It returns an error if programs wait for what
// can't happen any more, and [Network.Err].
func (n *Network) Run() error {
	if err := n.Err(); err != nil {
		return err
	}
	return n.world.Run()
}

// RunFor drives a virtual network, its programs and all else, until d has
// passed in it. At any other pace it waits for that long.
func (n *Network) RunFor(d time.Duration) error {
	if err := n.Err(); err != nil {
		return err
	}
	return n.world.RunFor(d)
}

// Sleep waits until d has passed in the network.
func (n *Network) Sleep(d time.Duration) error { return n.world.Sleep(d) }

// Settle drives a virtual network until nothing is due any more for as long
// as d: retransmissions are over, TIME-WAITs have ended, caches are asleep.
// It gives up after limit. At any other pace it does nothing.
func (n *Network) Settle(d, limit time.Duration) error {
	if !n.world.IsVirtual() {
		return nil
	}
	end := clock.Time(n.Elapsed()).Add(limit)
	for {
		now, next := clock.Time(n.Elapsed()), n.world.NextEvent()
		if next == clock.Never || next.Sub(now) > d || next > end {
			return nil
		}
		if err := n.world.RunFor(next.Sub(now)); err != nil {
			return err
		}
	}
}

// SetSpeed makes the network's time pass speed times as fast as the time
// outside, from now on; 0 stands still. A virtual network has no speed.
func (n *Network) SetSpeed(speed float64) error { return n.world.SetPace(sim.Scaled(speed)) }

// Step moves a network that stands still, or is virtual, on to the next event
// of the wanted kind, and reports whether there was one.
func (n *Network) Step(stop Stop) bool { return n.world.Step(stop) }

// FastForward jumps to the next timer, at any pace. It reports whether there
// was one.
func (n *Network) FastForward() bool { return n.world.FastForward() }

// A Stop says after what a step ends.
type Stop = sim.Stop

// The stops.
const (
	AtEvent  = sim.AtEvent  // the next timer or frame that is due
	AtFrame  = sim.AtFrame  // the next frame that somebody sends or hears
	AtChange = sim.AtChange // the next change of a TCP connection's state
)

// Watch makes f hear of everything that happens from now on: see package
// event. f is called with the network locked: it must be quick, and not call
// the network.
func (n *Network) Watch(f func(*event.Event)) {
	n.world.Enter()
	n.world.Stream.Listen(f)
	n.world.Unlock()
}

// Say makes a remark part of what happens, at a node's place in the story.
func (n *Network) Say(node, text string) { n.Tell(node, event.Said{Text: text}) }

// Tell makes something that a program knows part of what happens at a node.
func (n *Network) Tell(node string, body event.Body) {
	n.world.Enter()
	n.world.Stream.Publish(n.world.Now(), node, body)
	n.world.Unlock()
}

// ErrVirtual is what a call that would wait returns in a virtual network if it
// doesn't come from a program that [Network.Go] started.
var ErrVirtual = sim.ErrForeign

// IsDeadlock reports whether an error of [Network.Run] says that programs wait
// for what can't happen any more.
func IsDeadlock(err error) bool {
	var deadlock *sim.DeadlockError
	return errors.As(err, &deadlock)
}
