package lab

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Expectation is what must be true of a host. The fields that are set must
// all be true at once, at some instant within the time that is given.
type Expectation struct {
	At       Position
	Host     string
	State    string   // of a TCP connection, such as "TIME-WAIT"; "none": there is no connection
	Port     uint16   // what State and Passed look at: connections with this port at either end; 0 for any
	Passed   []string // states that a connection has gone through, in this order
	Error    string   // the last error that a program on the host had, such as "ECONNRESET"
	Received string   // what the host's programs have received has this in it
	Discards string   // the host has discarded a packet or frame for this reason
	Knows    []string // machines whose MAC addresses the host knows
	Within   time.Duration
}

// defaultWithin is how long an expectation has to come true.
const defaultWithin = time.Second

// tcpStates are those of RFC 9293, 3.3.2.
var tcpStates = []string{
	"LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2",
	"CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT", "CLOSED",
}

// errorNames are the errors that a call can be expected to fail with.
var errorNames = []string{
	"EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH",
	"EINVAL", "EISCONN", "EMSGSIZE", "ENETUNREACH", "ENOTCONN", "EPIPE", "ETIMEDOUT", "closed", "timeout",
}

// readExpectations reads a mapping of machines to what is expected of them.
func (s *scenarioReader) readExpectations(key, value *node) {
	var all Expectations
	if value.kind != mapping {
		s.problem(key.at, "expect must be a mapping of machines to what is expected, such as expect: {nick: TIME-WAIT}")
		return
	}
	for _, e := range s.unique(value) {
		host, ok := s.machine(e.key.at, e.key.text)
		if !ok {
			continue
		}
		x := Expectation{At: e.key.at, Host: host, Within: defaultWithin}
		if e.value.kind == mapping {
			s.fields(e.value, "an expectation", s.expectationFields(&x))
		} else {
			into(s.reader, &x.State, "a TCP state such as TIME-WAIT", parseState)(e.key, e.value)
		}
		all.All = append(all.All, x)
	}
	s.step(key.at, all)
}

func (s *scenarioReader) expectationFields(x *Expectation) []field {
	r := s.reader
	return []field{
		{"state", into(r, &x.State, "a TCP state such as TIME-WAIT", parseState)},
		{"port", into(r, &x.Port, "a port", parsePort)},
		{"passed", s.each(func(n *node) {
			state, err := parseTCPState(n.text)
			if err != nil {
				s.problem(n.at, "passed: %v", err)
			}
			x.Passed = append(x.Passed, state)
		})},
		{"error", into(r, &x.Error, "an error such as ECONNRESET", parseErrorName)},
		{"received", into(r, &x.Received, "what was received", parseText)},
		{"discards", into(r, &x.Discards, "a reason", parseText)},
		{"knows", s.each(func(n *node) {
			if name, ok := s.machine(n.at, n.text); ok {
				x.Knows = append(x.Knows, name)
			}
		})},
		{"within", into(r, &x.Within, "a time such as 5s", parseDuration)},
	}
}

// each returns the reading of a list of words, or of a single one.
func (s *scenarioReader) each(read func(*node)) func(key, value *node) {
	return func(key, value *node) {
		items := value.items
		if value.kind == scalar {
			items = []*node{value}
		}
		if len(items) == 0 {
			s.problem(key.at, "%s must be a word, or a list of words such as [a, b]", key.text)
		}
		for _, item := range items {
			if item.kind == scalar {
				read(item)
			} else {
				s.problem(item.at, "%s must be a list of words; here is %s", key.text, item.kind)
			}
		}
	}
}

func parseState(s string) (string, error) {
	if s == "none" {
		return s, nil
	}
	return parseTCPState(s)
}

func parseTCPState(s string) (string, error) {
	if slices.Contains(tcpStates, s) {
		return s, nil
	}
	return "", fmt.Errorf("%q is no state of a TCP connection: %s", s, didYouMean(s, tcpStates))
}

func parseErrorName(s string) (string, error) {
	if slices.Contains(errorNames, s) {
		return s, nil
	}
	return "", fmt.Errorf("%q is no error that a call returns: %s", s, didYouMean(s, errorNames))
}

// parsePort reads a port's number.
func parsePort(s string) (uint16, error) {
	n, err := strconv.Atoi(s)
	switch {
	case digits(s) && (err != nil || n > 65535):
		return 0, fmt.Errorf("the port %s is over 65535, the last there is", s)
	case err != nil || n < 0:
		return 0, fmt.Errorf("%q is no port: it is a number from 0 to 65535", s)
	}
	return uint16(n), nil
}

// String says what is expected, in words.
func (x *Expectation) String() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	port := ""
	if x.Port != 0 {
		port = fmt.Sprintf(" with port %d", x.Port)
	}
	switch {
	case x.State == "none":
		add("no connection%s", port)
	case x.State != "":
		add("a connection%s in %s", port, x.State)
	}
	if x.Passed != nil {
		add("a connection%s that went through %s", port, strings.Join(x.Passed, ", "))
	}
	if x.Error != "" {
		add("the error %s", x.Error)
	}
	if x.Received != "" {
		add("%q received", x.Received)
	}
	if x.Discards != "" {
		add("something discarded because %s", x.Discards)
	}
	if x.Knows != nil {
		add("the MAC address of %s known", allOf(x.Knows))
	}
	return strings.Join(parts, ", and ")
}
