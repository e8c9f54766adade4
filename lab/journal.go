package lab

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"hubbub/event"
	"hubbub/stack"
)

// maxJournal bounds the connections that are remembered of one host, and the
// states of each; maxReceived the bytes that its programs received last, of
// which up to twice as many are kept.
const (
	maxJournal  = 1000
	maxReceived = 1 << 18
)

// A journal is what an expectation may ask of a host's past.
type journal struct {
	flows    []event.Flow
	states   map[event.Flow][]string
	err      string // the last error of a program
	received []byte
}

// handle remembers the states that connections went through. It is called
// under the world's lock.
func (p *player) handle(e *event.Event) {
	state, ok := e.Body.(event.TCPState)
	if !ok || p.done.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.journal[e.Node]
	if j == nil {
		return
	}
	if j.states == nil {
		j.states = make(map[event.Flow][]string)
	}
	past, known := j.states[state.Flow]
	if !known {
		if len(j.flows) == maxJournal {
			delete(j.states, j.flows[0])
			j.flows = slices.Delete(j.flows, 0, 1)
		}
		j.flows = append(j.flows, state.Flow)
		past = []string{state.From}
	}
	if len(past) < maxJournal {
		j.states[state.Flow] = append(past, state.To)
	}
}

// noteError remembers the last error of a host's programs.
func (p *player) noteError(host, name string) {
	p.mu.Lock()
	p.journal[host].err = name
	p.mu.Unlock()
}

// noteReceived remembers what a host's programs have received.
func (p *player) noteReceived(host string, b []byte) {
	p.mu.Lock()
	j := p.journal[host]
	j.received = append(j.received, b...)
	if over := len(j.received) - maxReceived; over > maxReceived {
		j.received = slices.Delete(j.received, 0, over)
	}
	p.mu.Unlock()
}

// expect waits until an expectation is true, and tells whether it came true.
func (p *player) expect(x *Expectation) {
	if p.until(x.Within, func() bool { return p.fulfilled(x) == "" }) {
		p.held(x.Host, x.String())
		return
	}
	if got := p.fulfilled(x); got != "" {
		p.failed(x.Host, x.At, x.String(), got)
	}
}

// fulfilled returns what is there instead of what is expected, empty if all is
// as it should be.
func (p *player) fulfilled(x *Expectation) string {
	for _, check := range [...]func(*Expectation) string{
		p.checkState, p.checkPassed, p.checkError, p.checkReceived, p.checkDiscards, p.checkKnows,
	} {
		if got := check(x); got != "" {
			return got
		}
	}
	return ""
}

func (p *player) checkState(x *Expectation) string {
	if x.State == "" {
		return ""
	}
	var there []string
	for _, s := range p.network.Lookup(x.Host).Netstat() {
		if s.Proto != "tcp" || x.Port != 0 && s.Local.Port() != x.Port && s.Remote.Port() != x.Port {
			continue
		}
		if s.State == x.State {
			return ""
		}
		if x.State != "none" || s.State != "LISTEN" {
			there = append(there, connectionText(s))
		}
	}
	switch {
	case x.State == "none" && there == nil:
		return ""
	case there == nil:
		return "no connection"
	}
	return strings.Join(there, ", ")
}

func connectionText(s stack.SocketState) string {
	if s.State == "LISTEN" {
		return fmt.Sprintf("%v in LISTEN", s.Local)
	}
	return fmt.Sprintf("%v - %v in %s", s.Local, s.Remote, s.State)
}

func (p *player) checkPassed(x *Expectation) string {
	if x.Passed == nil {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.journal[x.Host]
	var pasts []string
	for _, f := range j.flows {
		if x.Port != 0 && f.Local.Port() != x.Port && f.Remote.Port() != x.Port {
			continue
		}
		if within(x.Passed, j.states[f]) {
			return ""
		}
		pasts = append(pasts, strings.Join(j.states[f], ", "))
	}
	return cmp.Or(strings.Join(pasts, "; and "), "no connection")
}

// within reports whether the words of part are in whole, in that order.
func within(part, whole []string) bool {
	for _, w := range whole {
		if len(part) > 0 && part[0] == w {
			part = part[1:]
		}
	}
	return len(part) == 0
}

func (p *player) checkError(x *Expectation) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if got := p.journal[x.Host].err; got != x.Error && x.Error != "" {
		return cmp.Or(got, "no error")
	}
	return ""
}

func (p *player) checkReceived(x *Expectation) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := string(p.journal[x.Host].received)
	if strings.Contains(got, x.Received) {
		return ""
	}
	if len(got) > 60 {
		got = "..." + got[len(got)-60:]
	}
	return fmt.Sprintf("%q received", got)
}

func (p *player) checkDiscards(x *Expectation) string {
	if x.Discards == "" {
		return ""
	}
	var reasons []string
	for reason, n := range p.network.Lookup(x.Host).Discards() {
		if n > 0 && strings.Contains(reason, x.Discards) {
			return ""
		}
		if n > 0 {
			reasons = append(reasons, fmt.Sprintf("%q", reason))
		}
	}
	slices.Sort(reasons)
	if reasons == nil {
		return "nothing discarded"
	}
	return "discarded because " + strings.Join(reasons, ", ")
}

func (p *player) checkKnows(x *Expectation) string {
	known := make(map[netip.Addr]bool)
	names, named := p.network.Names(), make(map[string]bool)
	for _, e := range p.network.Lookup(x.Host).Neighbors() {
		known[e.Addr] = !e.MAC.IsZero()
		if !e.MAC.IsZero() {
			named[names[e.Addr]] = true // perhaps by a link-local address
		}
	}
	delete(known, netip.Addr{})
	for _, name := range x.Knows {
		if !named[name] && !p.config.knownIn(name, known) {
			return "that of " + name + " not known"
		}
	}
	return ""
}

// knownIn reports whether one of a machine's addresses is among the known.
func (c *Config) knownIn(name string, known map[netip.Addr]bool) bool {
	if r := c.router(name); r != nil {
		for _, p := range r.Ports {
			if known[p.Address] || known[p.Address6] {
				return true
			}
		}
	}
	if h := c.host(name); h != nil && known[h.Address6] {
		return true
	}
	return known[c.address(name)]
}
