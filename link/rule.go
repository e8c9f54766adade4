package link

import (
	"fmt"

	"hubbub/clock"
	"hubbub/internal/pkt"
)

// An Action is what a Rule does to the frames that match.
type Action uint8

// The actions of rules.
const (
	Drop      Action = iota // lose the frame
	Corrupt                 // invert one of its bits
	Duplicate               // deliver it twice
	Delay                   // hold it for Rule.For; those behind may overtake it
	Mark                    // mark its packet "congestion experienced", if its sender heeds that (RFC 3168, 5)
)

// maxRules bounds the rules of one line.
const maxRules = 256

// A Rule does something to certain frames: to the Nth that matches, and to
// Count in all.
type Rule struct {
	Match  Match
	Action Action
	Nth    int            // which of the frames that match is the first, from 1; 0 means 1
	Count  int            // how many of them; 0 means 1, and -1 all from then on
	For    clock.Duration // how long Delay holds a frame, up to an hour
	Name   string         // for people, such as "the second SYN-ACK"
}

// A rule is a Rule at work.
type rule struct {
	Rule
	id    int
	cause uint64
	seen  int // frames that matched
}

// AddRule adds a rule behind those that there are, and returns a number by
// which it can be removed.
func (l *Line) AddRule(r Rule, cause uint64) (id int, err error) {
	if err := r.check(); err != nil {
		return 0, err
	}
	f := &l.faults
	if len(f.rules) >= maxRules {
		return 0, fmt.Errorf("a rule too many: a cable has at most %d in each direction", maxRules)
	}
	f.lastRule++
	f.rules = append(f.rules, &rule{Rule: r, id: f.lastRule, cause: cause})
	l.faulty = true
	return f.lastRule, nil
}

func (r *Rule) check() error {
	if r.Action > Mark {
		return fmt.Errorf("a rule with the action %d: there is no such action", r.Action)
	}
	if r.Nth < 0 || r.Count < -1 {
		return fmt.Errorf("a rule for %d frames from the %dth on: frames count from 1", r.Count, r.Nth)
	}
	return checkDelay("a rule's delay", r.For)
}

// RemoveRule removes a rule, and reports whether it was there.
func (l *Line) RemoveRule(id int) bool {
	f := &l.faults
	for i, r := range f.rules {
		if r.id == id {
			f.rules = append(f.rules[:i:i], f.rules[i+1:]...)
			l.faulty = f.any()
			return true
		}
	}
	return false
}

// hits counts a frame that matches, and reports whether it is one of those
// that the rule is for.
func (r *rule) hits(p *pkt.Packet) bool {
	if !r.Match.Matches(p) {
		return false
	}
	r.seen++
	first, count := max(r.Nth, 1), r.Count
	if count == 0 {
		count = 1
	}
	return r.seen >= first && (count < 0 || r.seen < first+count)
}

// applyRules lets each rule have its say. A rule counts the frames that match
// it, also those that another rule drops.
func (l *Line) applyRules(p *pkt.Packet, f *fate) {
	for _, r := range l.faults.rules {
		if !r.hits(p) {
			continue
		}
		switch r.Action {
		case Drop:
			f.lose(RuleMatched, r.cause, r.Name)
		case Corrupt:
			f.corrupt, f.badCause = true, r.cause
		case Duplicate:
			f.copies, f.copyCause = f.copies+1, r.cause
		case Delay:
			f.extra, f.extraCause, f.extraText = f.extra+r.For, r.cause, r.text()
		case Mark:
			l.mark(p, r.cause)
		}
	}
}

func (r *rule) text() string {
	if r.Name == "" {
		return "held by a rule"
	}
	return r.Name
}
