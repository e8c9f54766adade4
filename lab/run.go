package lab

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"hubbub"
	"hubbub/event"
	"hubbub/network/autoconf"
)

// Options say how a lab is run.
type Options struct {
	Seed  uint64               // instead of the file's; 0 for the file's
	Speed float64              // how fast the lab's time passes; 0: it waits for nothing
	Watch []func(*event.Event) // hear of everything that happens
	// Names, if it isn't nil, is told whose the addresses are that machines make
	// themselves, before those who watch hear of them.
	Names map[netip.Addr]string
}

// A Failure is an expectation that did not hold, or a step that went wrong.
type Failure struct {
	File    string
	At      Position
	What    string // what was expected
	Got     string // what was there instead
	Excerpt string // the line of the file, and below it a caret
}

// String says what failed, where: as a [Problem] does.
func (f *Failure) String() string {
	p := Problem{File: f.File, At: f.At, What: fmt.Sprintf("expected %s, got %s", f.What, f.Got), Excerpt: f.Excerpt}
	return p.Error()
}

// A Result is what came of a scenario.
type Result struct {
	Held     int           // expectations that held
	Failures []Failure     // those that didn't
	Elapsed  time.Duration // of the lab's time
}

// OK reports whether every expectation held.
func (r *Result) OK() bool { return len(r.Failures) == 0 }

// Run builds the network, plays the scenario and returns what came of it. The
// error says why it could not be played at all; it is the context's when that
// was cancelled.
func Run(ctx context.Context, c *Config, o Options) (*Result, error) {
	options := []hubbub.Option{hubbub.Virtual(), hubbub.Seed(c.Seed)}
	if o.Seed != 0 {
		options = append(options, hubbub.Seed(o.Seed))
	}
	if o.Speed > 0 {
		options = append(options, hubbub.Scaled(o.Speed))
	}
	n := hubbub.New(options...)
	defer n.Close()
	p := newPlayer(c, n)
	n.Watch(p.handle)
	if o.Names != nil {
		n.Watch(newcomers(o.Names))
	}
	for _, watch := range o.Watch {
		n.Watch(p.whileRunning(watch))
	}
	if err := c.place(n); err != nil {
		return nil, err
	}
	if o.Names != nil {
		maps.Copy(o.Names, n.Names())
	}
	if err := c.harm(n); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { n.Close() })
	defer stop()
	n.Go("scenario", p.play)
	err := n.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return p.finish(err)
}

// newcomers notes whose the addresses are that machines make themselves.
func newcomers(names map[netip.Addr]string) func(*event.Event) {
	return func(e *event.Event) {
		b, ok := e.Body.(event.Configured)
		if !ok {
			return
		}
		if p, err := netip.ParsePrefix(b.Of); err == nil && b.What == autoconf.AddAddress.String() {
			names[p.Addr()] = e.Node
		}
	}
}

// A player plays a scenario.
type player struct {
	config  *Config
	network *hubbub.Network
	actors  map[string]*actor
	pings   atomic.Uint32 // identifiers given out
	done    atomic.Bool   // what happens from now on is no part of the lab

	mu      sync.Mutex
	result  Result
	running map[string]int      // programs in the background, by host
	at      map[string]Position // which step each program is at
	journal map[string]*journal
}

func newPlayer(c *Config, n *hubbub.Network) *player {
	p := &player{
		config: c, network: n, actors: make(map[string]*actor), running: make(map[string]int),
		at: make(map[string]Position), journal: make(map[string]*journal),
	}
	for _, name := range c.nodes() {
		p.actors[name] = &actor{player: p, name: name}
		p.journal[name] = new(journal)
	}
	return p
}

// whileRunning keeps from a listener what the end of the lab brings about.
func (p *player) whileRunning(f func(*event.Event)) func(*event.Event) {
	return func(e *event.Event) {
		if !p.done.Load() {
			f(e)
		}
	}
}

// play is the program that plays the steps.
func (p *player) play() {
	p.network.Go("limit", p.guard)
	for i := range p.config.Scenario {
		if !p.step(&p.config.Scenario[i]) {
			p.end()
			return
		}
	}
	p.join("")
	p.end()
}

// end ends the lab: servers that wait for clients return.
func (p *player) end() {
	if p.done.Swap(true) {
		return
	}
	p.mu.Lock()
	p.result.Elapsed = p.network.Elapsed()
	p.mu.Unlock()
	p.network.Close()
}

// guard ends a lab that takes too long: a program waits for what never comes.
func (p *player) guard() {
	if p.network.Sleep(p.config.Limit) != nil || p.done.Load() {
		return
	}
	p.mu.Lock()
	for _, at := range p.at {
		p.note(at, "this step to end", fmt.Sprintf("no end within %v, the lab's limit", p.config.Limit))
	}
	p.mu.Unlock()
	p.end()
}

// finish returns the result, once the network has come to its end.
func (p *player) finish(err error) (*Result, error) {
	if err != nil && !p.done.Load() {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return &p.result, nil
}

// step plays one step, and reports whether the next can follow.
func (p *player) step(s *Step) bool {
	p.enter("", s.At)
	defer p.leave("")
	switch do := s.Do.(type) {
	case Say:
		p.network.Say("", do.Text)
	case Wait:
		return p.network.Sleep(do.For) == nil
	case Join:
		p.join(do.Host)
	case Power:
		h := p.network.Lookup(do.Host)
		if do.On {
			h.PowerOn()
		} else {
			h.PowerOff()
		}
	case CableChange:
		return p.changeCable(&do)
	case Expectations:
		for i := range do.All {
			p.expect(&do.All[i])
		}
	case Program:
		return p.program(s, &do)
	}
	return !p.done.Load()
}

func (p *player) changeCable(do *CableChange) bool {
	for i := range do.Changes {
		if err := p.config.apply(p.network, do.Card, do.Direction, &do.Changes[i]); err != nil {
			p.fail(do.Changes[i].At, "the cable to be changed", err.Error())
			return false
		}
	}
	return true
}

// program lets a host's program make its calls, here or in the background.
func (p *player) program(s *Step, do *Program) bool {
	a := p.actors[do.Host]
	if !do.Background {
		return a.calls(do.Calls)
	}
	own := &actor{player: p, name: a.name, parent: a}
	p.mu.Lock()
	p.running[do.Host]++
	p.mu.Unlock()
	p.network.Go(do.Host+": "+s.Text, func() {
		own.calls(do.Calls)
		p.mu.Lock()
		p.running[do.Host]--
		p.mu.Unlock()
	})
	return true
}

// join waits until a host's programs in the background are done; those of all
// hosts, if host is empty.
func (p *player) join(host string) {
	p.until(p.config.Limit, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		n := p.running[host]
		if host == "" {
			for _, running := range p.running {
				n += running
			}
		}
		return n == 0
	})
}

// until waits until a condition is true, or the time is over. It looks more
// seldom the longer it has waited.
func (p *player) until(limit time.Duration, condition func() bool) bool {
	const least = 100 * time.Microsecond
	for waited := time.Duration(0); ; {
		if condition() {
			return true
		}
		if waited >= limit || p.done.Load() {
			return false
		}
		nap := min(max(least, waited/20), limit-waited)
		if p.network.Sleep(nap) != nil {
			return false
		}
		waited += nap
	}
}

// enter and leave note which step a program is at, for the guard.
func (p *player) enter(program string, at Position) {
	p.mu.Lock()
	p.at[program] = at
	p.mu.Unlock()
}

func (p *player) leave(program string) {
	p.mu.Lock()
	delete(p.at, program)
	p.mu.Unlock()
}

// held tells that an expectation held.
func (p *player) held(node, what string) {
	p.network.Tell(node, event.Expected{What: what, OK: true})
	p.mu.Lock()
	p.result.Held++
	p.mu.Unlock()
}

// failed tells that an expectation did not hold.
func (p *player) failed(node string, at Position, what, got string) {
	p.network.Tell(node, event.Expected{What: what, Got: got})
	p.fail(at, what, got)
}

func (p *player) fail(at Position, what, got string) {
	if p.done.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note(at, what, got)
}

// maxFailures bounds what a Result tells of.
const maxFailures = 100

// note adds a failure to the result. It needs the lock.
func (p *player) note(at Position, what, got string) {
	if len(p.result.Failures) < maxFailures {
		c := p.config
		p.result.Failures = append(p.result.Failures, Failure{c.File, at, what, got, c.source.excerpt(at)})
	}
}

// Summary says in a few words what came of the expectations.
func (r *Result) Summary() string {
	switch all := r.Held + len(r.Failures); {
	case all == 0:
		return "Nothing was expected"
	case r.OK() && all == 1:
		return "The one expectation held"
	case r.OK():
		return fmt.Sprintf("All %d expectations held", all)
	default:
		return fmt.Sprintf("%d of %d expectations failed", len(r.Failures), all)
	}
}
