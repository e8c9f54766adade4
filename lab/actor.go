package lab

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"hubbub"
	"hubbub/socket"
)

// An actor is a host's program: it makes calls, and has the sockets that they
// opened. One that runs in the background has sockets of its own, and uses
// those of its host where it has none.
type actor struct {
	player *player
	name   string // of the host
	parent *actor

	mu             sync.Mutex
	named          map[string]*socket.Socket
	conn, listener *socket.Socket
}

func (a *actor) host() *hubbub.Host { return a.player.network.Lookup(a.name) }

// doers are what the verbs do. An error is the result of a socket call that
// failed; a mismatch that of an expectation.
var doers map[string]func(*actor, *Call) error

func init() {
	doers = map[string]func(*actor, *Call) error{
		"serve": (*actor).serve, "connect": (*actor).connect, "listen": (*actor).listen, "accept": (*actor).accept,
		"send": (*actor).send, "transfer": (*actor).transfer, "receive": (*actor).receive, "drain": (*actor).drain,
		"shutdown": (*actor).shutdown, "close": (*actor).close, "abort": (*actor).abort,
		"keepalive": (*actor).keepalive, "set": (*actor).set,
		"ping": (*actor).ping, "flood": (*actor).flood, "shout": (*actor).shout, "hear": (*actor).hear,
		"sysctl":  (*actor).sysctl,
		"netstat": (*actor).netstat, "arp": (*actor).arp, "routes": (*actor).routes,
	}
}

// A mismatch is an answer that was not the expected one.
type mismatch struct {
	want, got string
}

func (m *mismatch) Error() string { return fmt.Sprintf("expected %s, got %s", m.want, m.got) }

// calls makes the calls of a step one by one, until one goes wrong. It reports
// whether all went as they should.
func (a *actor) calls(calls []Call) bool {
	for i := range calls {
		c := &calls[i]
		a.player.enter(a.name+" "+c.Verb, c.At)
		err := doers[c.Verb](a, c)
		a.player.leave(a.name + " " + c.Verb)
		if !a.judge(c, err) {
			return false
		}
	}
	return !a.player.done.Load()
}

// judge compares what came of a call with what should have.
func (a *actor) judge(c *Call, err error) bool {
	p := a.player
	if p.done.Load() {
		return false
	}
	name := ErrorName(err)
	if err != nil {
		p.noteError(a.name, name)
	}
	var wrong *mismatch
	switch {
	case errors.As(err, &wrong):
		p.failed(a.name, c.At, wrong.want, wrong.got)
		return true
	case c.Fails != "" && name == c.Fails:
		p.held(a.name, c.Verb+" fails with "+c.Fails)
	case c.Fails != "" && err == nil:
		p.failed(a.name, c.At, c.Verb+" to fail with "+c.Fails, "success")
	case c.Fails != "":
		p.failed(a.name, c.At, c.Verb+" to fail with "+c.Fails, name)
	case err != nil:
		p.failed(a.name, c.At, c.Verb+" to succeed", name)
		return false
	}
	return true
}

// errnoNames are the names under which a lab file knows errors.
var errnoNames = map[syscall.Errno]string{
	syscall.EACCES: "EACCES", syscall.EADDRINUSE: "EADDRINUSE", syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL",
	syscall.ECONNABORTED: "ECONNABORTED", syscall.ECONNREFUSED: "ECONNREFUSED", syscall.ECONNRESET: "ECONNRESET",
	syscall.EHOSTUNREACH: "EHOSTUNREACH", syscall.EINVAL: "EINVAL", syscall.EISCONN: "EISCONN",
	syscall.EMSGSIZE: "EMSGSIZE", syscall.ENETUNREACH: "ENETUNREACH", syscall.ENOTCONN: "ENOTCONN",
	syscall.EPIPE: "EPIPE", syscall.ETIMEDOUT: "ETIMEDOUT",
}

// ErrorName returns the name by which a lab file knows an error: that of its
// errno, "timeout" for a time-out of the program's own, "closed" for a socket
// that is closed.
func ErrorName(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return ""
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, net.ErrClosed):
		return "closed"
	case errors.As(err, &errno) && errnoNames[errno] != "":
		return errnoNames[errno]
	}
	return err.Error()
}

// keep makes a socket the host's latest connection, or listener, and gives it
// its name.
func (a *actor) keep(name string, s *socket.Socket, listener bool) {
	a.mu.Lock()
	if listener {
		a.listener = s
	} else {
		a.conn = s
	}
	if name != "" && a.parent == nil {
		if a.named == nil {
			a.named = make(map[string]*socket.Socket)
		}
		a.named[name] = s
	}
	a.mu.Unlock()
	if a.parent != nil {
		a.parent.keep(name, s, listener)
	}
}

// pick returns the connection or listener that a call uses.
func (a *actor) pick(name string, listener bool) *socket.Socket {
	a.mu.Lock()
	s := a.conn
	if listener {
		s = a.listener
	}
	if name != "" {
		s = a.named[name]
	}
	a.mu.Unlock()
	if s == nil && a.parent != nil {
		return a.parent.pick(name, listener)
	}
	return s
}

// using calls f with the connection that a call uses, its time-out set.
func (a *actor) using(c *Call, f func(*socket.Socket) error) error {
	return timed(a.pick(c.Via, false), c.Timeout, f)
}

// timed calls f with a socket whose calls wait no longer than d, if d isn't
// zero.
func timed(s *socket.Socket, d time.Duration, f func(*socket.Socket) error) error {
	if s == nil {
		return syscall.ENOTCONN
	}
	if d > 0 {
		s.SetTimeout(d)
		defer s.SetTimeout(-1)
	}
	return f(s)
}

// say tells what a program has to say.
func (a *actor) say(format string, args ...any) {
	if !a.player.done.Load() {
		a.player.network.Say(a.name, fmt.Sprintf(format, args...))
	}
}

// sayLines tells what a command printed, line by line.
func (a *actor) sayLines(command string, lines []string) {
	a.say("%s", command)
	for _, line := range lines {
		a.say("%s", line)
	}
}
