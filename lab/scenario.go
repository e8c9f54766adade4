package lab

import (
	"slices"
	"strings"
	"time"
)

// A Step is one step of a scenario. Its Do is a [Say], [Wait], [Join],
// [Program], [CableChange], [Power] or [Expectations].
type Step struct {
	At   Position
	Text string // its first line in the file, without the dash
	Do   any
}

// Say is a remark for those who read along.
type Say struct {
	Text string
}

// Wait lets time pass.
type Wait struct {
	For time.Duration
}

// Join waits until what a host does meanwhile is done.
type Join struct {
	Host string
}

// Program is what a host's program does, call by call. In the background, the
// next step doesn't wait for it.
type Program struct {
	Host       string
	Background bool
	Calls      []Call
}

// CableChange is what is done to a cable, in one direction or both.
type CableChange struct {
	Card      Card
	Direction Direction
	Changes   []Change
}

// A Direction says which way the frames go that a change is for.
type Direction uint8

// The directions.
const (
	BothWays Direction = iota
	ToCard
	FromCard
)

// Power switches a machine on or off.
type Power struct {
	Host string
	On   bool
}

// Expectations are what must be true, of one or several hosts.
type Expectations struct {
	All []Expectation
}

// maxSteps bounds a scenario.
const maxSteps = 10_000

// readScenario reads the steps.
func (r *reader) readScenario(n *node) {
	switch {
	case n == nil || n.kind == nothing:
		return
	case n.kind != list:
		r.problem(n.at, "scenario must be a list of steps, each with a dash in front, not %s", describe(n))
		return
	case len(n.items) > maxSteps:
		r.problem(n.at, "the scenario has %d steps: it can have %d", len(n.items), maxSteps)
		return
	}
	s := scenarioReader{reader: r, known: make(map[string]*sockets)}
	for _, item := range n.items {
		s.readStep(item)
	}
}

// A scenarioReader reads steps, and remembers which connections there are at
// each step.
type scenarioReader struct {
	*reader
	known map[string]*sockets // by host
}

// sockets are what a host's programs have opened so far.
type sockets struct {
	names                 []string
	connection, listening bool
}

var stepForms = []string{
	"say", "wait", "wait for", "on", "meanwhile on", "cable", "cable to", "cable from", "power off", "power on", "expect",
}

func (s *scenarioReader) readStep(n *node) {
	switch {
	case n.kind == scalar:
		s.readPhraseStep(n)
	case n.kind != mapping || len(n.entries) == 0:
		s.problem(n.at, "a step is a phrase or a mapping, such as \"on nick: ping feige\", not %s", n.kind)
	case len(n.entries) > 1:
		second := n.entries[1].key
		s.problem(second.at, "%q begins a second step: put a dash in front, or indent it to make it part of the step before", second.text)
	default:
		s.readKeyStep(n.entries[0].key, n.entries[0].value)
	}
}

func (s *scenarioReader) step(at Position, do any) {
	s.config.Scenario = append(s.config.Scenario, Step{at, s.lineOf(at), do})
}

// lineOf returns the line of a place, without the dash of a list.
func (s *scenarioReader) lineOf(at Position) string {
	if at.Line < 1 || at.Line > len(s.lines) {
		return ""
	}
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s.lines[at.Line-1]), "- "))
}

// readPhraseStep reads a step that has no colon.
func (s *scenarioReader) readPhraseStep(n *node) {
	words := splitWords(n.text)
	head := make([]string, 0, 2)
	for _, w := range words[:min(2, len(words))] {
		head = append(head, w.text)
	}
	switch phrase := strings.Join(head, " "); {
	case phrase == "power on", phrase == "power off", phrase == "wait for":
		if len(words) != 3 {
			s.problem(n.at, "%s must be followed by the name of one machine", phrase)
			return
		}
		host, ok := s.machine(n.within(words[2].offset), words[2].text)
		if !ok {
			return
		}
		if head[0] == "wait" {
			s.step(n.at, Join{host})
		} else {
			s.step(n.at, Power{host, head[1] == "on"})
		}
	case slices.Contains(stepForms, strings.TrimSuffix(example(head, ""), ":")):
		s.problem(n.at, "the step %q needs a colon, such as wait: 2h, on nick: ping feige, or cable nick: cut", n.text)
	default:
		s.problem(n.at, "%q is no step: %s", n.text, didYouMean(strings.Join(head, " "), stepForms))
	}
}

// readKeyStep reads a step of a key and a value.
func (s *scenarioReader) readKeyStep(key, value *node) {
	words := splitWords(key.text)
	var verb string
	if len(words) > 0 {
		verb = words[0].text
	}
	switch {
	case key.text == "say":
		if text, ok := s.value(key, value, "what is to be said"); ok {
			s.step(key.at, Say{text})
		}
	case key.text == "wait":
		var d time.Duration
		into(s.reader, &d, "a time such as 2h", parseDuration)(key, value)
		s.step(key.at, Wait{d})
	case key.text == "expect":
		s.readExpectations(key, value)
	case verb == "on":
		s.readProgram(key, words[1:], value, false)
	case verb == "meanwhile" && len(words) > 1 && words[1].text == "on":
		s.readProgram(key, words[2:], value, true)
	case verb == "cable":
		s.readCableStep(key, words[1:], value)
	case verb == "power":
		s.problem(key.at, "power needs no colon: write power off nick, or power on nick")
	default:
		s.problem(key.at, "%q is no step: %s", key.text, didYouMean(verb, stepForms))
	}
}

// machine finds a host or a router.
func (s *scenarioReader) machine(at Position, name string) (string, bool) {
	if s.config.host(name) == nil && s.config.router(name) == nil {
		s.problem(at, "there is no machine %q: %s", name, didYouMean(name, s.config.nodes()))
		return "", false
	}
	return name, true
}

func (s *scenarioReader) readProgram(key *node, who []word, value *node, background bool) {
	if len(who) != 1 {
		s.problem(key.at, "on must be followed by the name of one machine, and a colon: on nick: ping feige")
		return
	}
	host, ok := s.machine(key.within(who[0].offset), who[0].text)
	if !ok {
		return
	}
	if s.known[host] == nil {
		s.known[host] = new(sockets)
	}
	p := Program{Host: host, Background: background}
	calls := []*node{value}
	if value.kind == list && len(value.items) > 0 {
		calls = value.items
	}
	for _, n := range calls {
		if c, ok := s.readCall(key, n, s.known[host]); ok {
			p.Calls = append(p.Calls, c)
		}
	}
	s.step(key.at, p)
}

// readCableStep reads what is done to a cable: a phrase such as "loss 5%", or a
// mapping.
func (s *scenarioReader) readCableStep(key *node, words []word, value *node) {
	c := CableChange{}
	if len(words) == 2 && (words[0].text == "to" || words[0].text == "from") {
		c.Direction = map[string]Direction{"to": ToCard, "from": FromCard}[words[0].text]
		words = words[1:]
	}
	if len(words) != 1 {
		s.problem(key.at, "cable must be followed by the name of one cable, and a colon, such as cable nick: cut, or cable to nick: loss 5%%")
		return
	}
	card, ok := s.card(key.within(words[0].offset), words[0].text)
	if !ok {
		return
	}
	c.Card = card
	s.fields(asMapping(value), "a cable", s.cableFields(&c.Changes, true))
	s.checkDirection(key, &c)
	s.step(key.at, c)
}

// checkDirection refuses to mend one direction: a cable is mended as a whole.
func (s *scenarioReader) checkDirection(key *node, c *CableChange) {
	for _, change := range c.Changes {
		if change.Kind == Mend && c.Direction != BothWays {
			s.problem(key.at, "a cable is mended as a whole: write cable %v: mend", c.Card)
		}
	}
}

// asMapping makes a mapping of a phrase: its first word is the key.
func asMapping(n *node) *node {
	if n.kind != scalar {
		return n
	}
	words := splitWords(n.text)
	if len(words) == 0 {
		return n
	}
	key := &node{at: n.within(words[0].offset), text: words[0].text}
	value := &node{kind: nothing, at: key.at}
	if len(words) > 1 {
		rest := []rune(n.text)[words[1].offset:]
		value = &node{at: n.within(words[1].offset), text: strings.TrimSpace(string(rest))}
	}
	return &node{kind: mapping, at: n.at, entries: []entry{{key, value}}}
}
