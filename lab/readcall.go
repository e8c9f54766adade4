package lab

import (
	"fmt"
	"slices"
	"strings"
)

// An argument is a word of a call, and its place.
type argument struct {
	text string
	at   Position
}

// readCall reads one call of a program: a phrase such as "send hello to
// feige:8080", or a mapping such as {send: hello, to: "feige:8080"}.
func (s *scenarioReader) readCall(key, n *node, known *sockets) (Call, bool) {
	before := len(s.problems)
	var c Call
	var v *verb
	switch {
	case n.kind == scalar && strings.TrimSpace(n.text) != "":
		c, v = s.readPhrase(n)
	case n.kind == mapping && len(n.entries) > 0:
		c, v = s.readCallMapping(n)
	default:
		s.problem(key.at, "what does the machine do? write such as %s: ping feige, not %s", key.text, n.kind)
	}
	if v == nil || len(s.problems) > before {
		return c, false
	}
	s.checkSockets(&c, v, known)
	s.checkCall(&c, v)
	return c, len(s.problems) == before
}

// verb finds a verb by its name.
func (s *scenarioReader) verb(name argument) *verb {
	names := make([]string, len(verbs))
	for i := range verbs {
		if verbs[i].name == name.text {
			return &verbs[i]
		}
		names[i] = verbs[i].name
	}
	s.problem(name.at, "a machine can't %q: %s", name.text, didYouMean(name.text, names))
	return nil
}

// readPhrase reads a call that is written as a phrase: the verb, its
// arguments, then its options.
func (s *scenarioReader) readPhrase(n *node) (Call, *verb) {
	words := splitWords(n.text)
	args := make([]argument, len(words))
	for i, w := range words {
		args[i] = argument{w.text, n.within(w.offset)}
	}
	v := s.verb(args[0])
	if v == nil {
		return Call{}, nil
	}
	c := Call{At: n.at, Verb: v.name}
	rest, ok := s.arguments(&c, v, args[0], args[1:])
	if !ok {
		return c, nil
	}
	seen := make(map[string]bool)
	for len(rest) > 0 {
		p := s.option(v, rest[0], seen)
		if p == nil {
			return c, nil
		}
		name := rest[0]
		rest = rest[1:]
		if p.flag {
			s.setParam(&c, p, name, name)
			continue
		}
		if len(rest) == 0 {
			s.problem(name.at, "%s must be followed by %s", name.text, p.what)
			return c, nil
		}
		s.setParam(&c, p, name, rest[0])
		rest = rest[1:]
	}
	return c, v
}

// arguments sets what follows a verb without a name, and returns the rest.
func (s *scenarioReader) arguments(c *Call, v *verb, verb argument, args []argument) (rest []argument, ok bool) {
	for i := range v.args {
		p := &v.args[i]
		if len(args) == 0 {
			s.problem(verb.at, "%s must be followed by %s", v.name, p.what)
			return nil, false
		}
		s.setParam(c, p, argument{text: v.name}, args[0])
		args = args[1:]
	}
	return args, true
}

// option finds an option of a verb, which must be there for the first time.
func (s *scenarioReader) option(v *verb, name argument, seen map[string]bool) *param {
	i := slices.IndexFunc(v.options, func(p param) bool { return p.name == name.text })
	if i < 0 {
		s.problem(name.at, "%s has no %q: %s", v.name, name.text, didYouMean(name.text, optionNames(v)))
		return nil
	}
	if seen[name.text] {
		s.problem(name.at, "%s is here for the second time: keep one of them", name.text)
		return nil
	}
	seen[name.text] = true
	return &v.options[i]
}

func optionNames(v *verb) []string {
	names := make([]string, len(v.options))
	for i, p := range v.options {
		names[i] = p.name
	}
	return names
}

func (s *scenarioReader) setParam(c *Call, p *param, name, value argument) {
	if err := p.set(s, c, value.text); err != nil {
		s.problem(value.at, "%s: %v", name.text, err)
	}
}

// readCallMapping reads a call that is written as a mapping: its first key is
// the verb, the others are options.
func (s *scenarioReader) readCallMapping(n *node) (Call, *verb) {
	entries := s.unique(n)
	head := entries[0]
	v := s.verb(argument{head.key.text, head.key.at})
	if v == nil {
		return Call{}, nil
	}
	c := Call{At: head.key.at, Verb: v.name}
	args, ok := s.headArguments(v, head)
	if !ok {
		return c, nil
	}
	rest, ok := s.arguments(&c, v, argument{head.key.text, head.key.at}, args)
	if ok && len(rest) > 0 {
		s.problem(rest[0].at, "%q is too much behind %s: options are keys of their own, such as %s", rest[0].text, v.name, optionExample(v))
		return c, nil
	}
	seen := make(map[string]bool)
	for _, e := range entries[1:] {
		name := argument{e.key.text, e.key.at}
		if p := s.option(v, name, seen); p != nil {
			s.setEntry(&c, p, name, e)
		}
	}
	return c, v
}

func optionExample(v *verb) string {
	if len(v.options) == 0 {
		return "none: it has none"
	}
	if p := v.options[0]; p.flag {
		return p.name + ": true"
	}
	return v.options[0].name + ": ..."
}

// headArguments returns the arguments behind a mapping's verb: the whole text
// where there is one argument, its words where there are several.
func (s *scenarioReader) headArguments(v *verb, head entry) ([]argument, bool) {
	switch value := head.value; {
	case value.kind == nothing:
		return nil, true
	case value.kind != scalar:
		s.problem(value.at, "%s must be followed by a single value, not %s", v.name, value.kind)
		return nil, false
	case len(v.args) == 1:
		return []argument{{value.text, value.at}}, true
	default:
		var args []argument
		for _, w := range splitWords(value.text) {
			args = append(args, argument{w.text, value.within(w.offset)})
		}
		return args, true
	}
}

// setEntry sets an option from a mapping's entry.
func (s *scenarioReader) setEntry(c *Call, p *param, name argument, e entry) {
	if !p.flag {
		if text, ok := s.value(e.key, e.value, p.what); ok {
			s.setParam(c, p, name, argument{text, e.value.at})
		}
		return
	}
	if e.value.kind == nothing {
		s.setParam(c, p, name, name)
		return
	}
	text, ok := s.value(e.key, e.value, "true or false")
	if !ok {
		return
	}
	yes, err := parseBool(text)
	if err != nil {
		s.problem(e.value.at, "%s: %v", name.text, err)
	}
	if yes {
		s.setParam(c, p, name, name)
	}
}

// checkSockets checks that there is the connection or listener that a call
// uses, and remembers the one that it makes.
func (s *scenarioReader) checkSockets(c *Call, v *verb, known *sockets) {
	switch {
	case c.Via != "" && !slices.Contains(known.names, c.Via):
		s.problem(c.At, "nothing on this machine is called %q: %s; a connection gets its name by as, such as connect feige:8080 as %s",
			c.Via, didYouMean(c.Via, known.names), c.Via)
	case c.Via != "" || v.uses == "" || c.Host != "":
	case v.uses == "listener" && !known.listening:
		s.problem(c.At, "%s needs a socket that listens: let this machine listen first, such as listen :8080", v.name)
	case v.uses != "listener" && !known.connection && !(v.uses == "connection or listener" && known.listening):
		s.problem(c.At, "%s needs a connection: let this machine connect or accept first%s", v.name, orTo(v))
	}
	if c.Fails != "" {
		return
	}
	if c.As != "" {
		known.names = append(known.names, c.As)
	}
	known.connection = known.connection || v.makes == "connection"
	known.listening = known.listening || v.makes == "listener"
}

func orTo(v *verb) string {
	if slices.Contains(optionNames(v), "to") {
		return fmt.Sprintf(", or say to whom, such as %s ... to feige:8080", v.name)
	}
	return ""
}

// checkCall checks what the options of a call are together.
func (s *scenarioReader) checkCall(c *Call, v *verb) {
	switch {
	case v.needs != "" && c.Port == 0 && c.Host == "":
		s.problem(c.At, "%s must say %s what, such as %s", v.name, v.needs, map[string]string{
			"to": "shout hello to feige:5000", "at": "hear hello at :5000",
		}[v.needs])
	case c.Host == "everyone" && v.name != "shout":
		s.problem(c.At, "only a shout is heard by everyone: %s one machine", v.name)
	case v.name == "send" && c.Host == "" && (c.From != 0 || c.ReuseAddr || c.FastOpen || c.Answer != ""):
		s.problem(c.At, "from, reuseaddr, fastopen and expect go with to, which makes a connection of its own: without it, use connect before and receive behind")
	case v.name == "send" && c.Text == "":
		s.problem(c.At, "an empty message is never sent: a stream has no room for nothing")
	case v.name == "serve" && c.UDP && (c.Backlog > 0 || c.Keepalive || c.Once || c.Mode == "hold"):
		s.problem(c.At, "udp knows no connections: backlog, keepalive, once and hold are TCP's")
	case v.name == "serve" && !c.Keepalive && (c.Idle > 0 || c.Every > 0 || c.Probes > 0):
		s.problem(c.At, "idle, every and probes are about keepalive: write it too")
	case v.name != "ping" && c.Every%1e9 != 0:
		s.problem(c.At, "every must be a whole number of seconds")
	}
}
