package lab_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hubbub/event"
	"hubbub/lab"
)

// rooms is a network that many scenarios can be played in.
const rooms = `
lans:
  room1: {subnet: 172.16.10.0/24}
  room2: {subnet: 172.16.11.0/24}
hosts:
  nick:  {lan: room1}
  feige: {lan: room1}
  wang:  {lan: room2}
routers:
  gateway: {lans: [room1, room2]}
`

// play runs a scenario in rooms, and returns what came of it and what was said.
func play(t *testing.T, scenario string) (*lab.Result, []string) {
	t.Helper()
	return playFile(t, rooms+"scenario:\n"+scenario)
}

func playFile(t *testing.T, source string) (*lab.Result, []string) {
	t.Helper()
	c, err := lab.Parse("test.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	r, err := lab.Run(context.Background(), c, lab.Options{Watch: []func(*event.Event){func(e *event.Event) {
		if b, ok := e.Body.(event.Said); ok {
			said = append(said, e.Node+": "+b.Text)
		}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return r, said
}

// Scenarios in which every expectation holds.
func TestScenarios(t *testing.T) {
	for name, scenario := range map[string]string{
		"refused": `
  - on nick: connect feige:80 fails ECONNREFUSED
  - expect: {nick: {error: ECONNREFUSED, state: none}}`,
		"nobody there": `
  - power off feige
  - on nick: connect feige:80 fails EHOSTUNREACH
  - on nick: ping feige timeout 10s fails EHOSTUNREACH`,
		"no such network": `
  - on nick: connect 10.1.2.3:80 fails ENETUNREACH`,
		"cut cable": `
  - on feige: serve echo :7
  - on nick: connect feige:7
  - cable feige: cut
  - on nick: send hello
  - on nick: receive hello timeout 5s fails timeout
  - cable feige: mend
  - on nick: receive hello`,
		"one direction cut": `
  - on nick: ping feige
  - cable from feige: cut
  - on nick: ping feige fails timeout`,
		"reset": `
  - on feige: listen :80
  - on nick: connect feige:80
  - on feige: [accept, abort]
  - on nick: receive hello fails ECONNRESET
  - expect: {nick: {error: ECONNRESET, state: none}}`,
		"privileged": `
  - on feige: listen :8080
  - on feige: listen :8080 fails EADDRINUSE`,
		"udp": `
  - on feige: serve echo :7 udp
  - meanwhile on nick: hear hello at :5000
  - on nick: {shout: hello, to: "feige:7", from: ":5001"}
  - on feige: {shout: hello, to: "nick:5000"}
  - wait for nick
  - expect: {feige: {received: hello}}`,
		"everyone": `
  - meanwhile on feige: hear "hello all" at :5000
  - meanwhile on gateway: hear "hello all" at :5000
  - wait: 1ms
  - on nick: shout "hello all" to everyone:5000`,
		"several named connections": `
  - on feige: listen :80 as shop
  - on nick: connect feige:80 as first
  - on nick: connect feige:80 as second
  - on feige: [accept via shop as one, accept via shop as two]
  - on nick: [send a via first, send b via second]
  - on feige: [receive b via two, receive a via one, close via shop]
  - on nick: [close via first, close via second]
  - on feige: [drain via one, drain via two, close via one, close via two]
  - expect: {feige: none}`,
		"urgent": `
  - on feige: listen :80
  - on nick: connect feige:80
  - on feige: accept
  - on nick: send "!" urgent
  - expect: {feige: ESTABLISHED}`,
		"options": `
  - on feige: listen :80 backlog 3 reuseaddr reuseport
  - on nick: connect feige:80 from :5000 reuseaddr
  - on nick: [set nodelay 1, set sndbuf 4096, set rcvbuf 4096, keepalive idle 60s every 10s probes 3]
  - on feige: accept
  - on nick: set linger 5
  - on nick: shutdown both
  - expect: {nick: {port: 5000, state: FIN-WAIT-2}}`,
		"options of TCP": `
  - on feige: [listen :80, set defer-accept 3, set maxseg 600, set congestion reno]
  - on nick: connect feige:80
  - on nick: [set congestion bbr, set cork 1, set quickack 0, set linger2 5, set notsent-lowat 1000, set user-timeout 5000]
  - on feige: accept timeout 900ms fails timeout
  - on nick: send hello
  - on nick: set cork 0
  - on feige: [accept timeout 100ms, receive hello]
  - power off feige
  - on nick: send hello
  - on nick: drain timeout 6s fails ETIMEDOUT
  - expect: {nick: none}`,
		"transfer": `
  - on wang: serve echo :7
  - on wang: serve discard :9
  - on nick: transfer 100kB to wang:7 echoed
  - on nick: transfer 100kB to wang:9
  - on nick: connect wang:9
  - on nick: transfer 1kB
  - on nick: close`,
		"zero window": `
  - on feige: serve hold :80
  - meanwhile on nick: transfer 1MB to feige:80 timeout 10s fails timeout
  - expect: {nick: ESTABLISHED}`,
		"keepalive of a server": `
  - on feige: serve upper :80 keepalive idle 60s every 10s probes 3
  - on nick: connect feige:80
  - wait: 1s
  - power off nick
  - wait: 2m
  - expect: {feige: {error: ETIMEDOUT, state: none}}`,
		"a host that comes back": `
  - on feige: serve echo :7
  - on nick: connect feige:7
  - power off feige
  - power on feige
  - on nick: send hello
  - on nick: receive hello fails ECONNRESET`,
		"traps": `
  - on feige: serve echo :7
  - cable nick: drop the first SYN
  - cable feige: {hold: the next 2 ACKs from nick for 3ms, double: the first FIN from nick}
  - cable to nick: {damage: the second data segment, mark: the third data segment, ecn: 20}
  - cable from nick: jitter 1ms
  - cable nick: {rate: 10Mbit/s, delay: 1ms, queue: 50, mtu: 1500, duplicate: 0%, corrupt: 0%, reorder: 0% by 1ms, burst: {begins: 0.001%, ends: 99%}}
  - on nick: send hello to feige:7 expect hello
  - on nick: send again to feige:7 expect again
  - cable nick: drop every ping
  - on nick: ping feige fails timeout`,
		"by name": `
  - on wang: serve upper :80
  - on nick: send hello to 172.16.11.2:80 expect HELLO
  - on wang: send hello to localhost:80 expect HELLO`,
		"tables": `
  - on nick: [ping wang times 3 size 100 every 10ms, arp, routes, netstat]
  - on gateway: [arp, routes]
  - expect: {gateway: {knows: [nick, wang]}, nick: {knows: gateway}}`,
		"closed while it waits": `
  - on feige: listen :80
  - meanwhile on feige: accept fails closed
  - wait: 1s
  - on feige: close`,
		"powered off while it waits": `
  - on feige: serve echo :7
  - on nick: connect feige:7
  - meanwhile on nick: receive hello fails closed
  - wait: 1s
  - power off nick`,
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := play(t, strings.TrimPrefix(scenario, "\n"))
			for _, f := range r.Failures {
				t.Error(f.String())
			}
		})
	}
}

// What the sections of the file say takes effect.
func TestSections(t *testing.T) {
	r, said := playFile(t, `
seed: 5
limit: 1h
scenario:
  - on nick: [ping west timeout 3s, ping shop, arp]
  - on zhao: [listen :80 fails EACCES, ping li fails EACCES]
  - on nick: {listen: ":8080", reuseaddr: false, backlog: 1, as: l}
  - on nick: {close: , via: l}
  - on feige: {serve: "upper :80", once: , reuseaddr: true}
  - on nick: {send: hello there, to: "feige:80", expect: HELLO THERE}
  - say: the switch keeps VLANs apart
  - on li: ping zhao
  - on li: ping nick timeout 10s fails EHOSTUNREACH
  - say: wang does not know that the cable of the router carries 600 bytes only
  - on wang: ping nick size 1200 fails timeout
  - wait: 10s
  - on qian: ping nick
  - expect: {nick: {knows: [west, feige, qian]}}
names: {shop: wang, other: 172.16.11.9}
cables:
  nick: {delay: 5ms, drop: the first ARP request}
  west/room2: {mtu: 600}
routers:
  west: {lans: {room2: 172.16.11.200, room1: }}
hosts:
  nick:  {lan: room1, mac: 02-aa-bb-cc-dd-ee, gateway: 172.16.10.1}
  feige: {lan: room1, address: 172.16.10.100}
  qian:  {lan: room1, detect: true}
  li:    {lan: room1, vlan: 10}
  zhao:  {lan: room1, vlan: 10, unprivileged: true}
  wang:  {lan: room2}
lans:
  room1: {subnet: 172.16.10.0 255.255.255.0, delay: 1ms, rate: 1Gbit/s, queue: 100}
  room2: {subnet: 172.16.11.0/255.255.255.0, medium: hub}
`)
	for _, f := range r.Failures {
		t.Error(f.String())
	}
	if all := strings.Join(said, "\n"); !strings.Contains(all, "nick: 172.16.10.1 ") {
		t.Errorf("nick's ARP cache is\n%s", all)
	}
}

// Scenarios in which an expectation fails, and what is told of it.
func TestFailures(t *testing.T) {
	for name, test := range map[string]struct{ scenario, want string }{
		"state":       {`- expect: {nick: ESTABLISHED}`, "expected a connection in ESTABLISHED, got no connection"},
		"none":        {`- [on feige: listen :80, on nick: connect feige:80, expect: {nick: none}]`, "in ESTABLISHED"},
		"passed":      {`- expect: {nick: {passed: [LISTEN]}}`, "expected a connection that went through LISTEN, got no connection"},
		"error":       {`- expect: {nick: {error: EPIPE}}`, "expected the error EPIPE, got no error"},
		"received":    {`- expect: {nick: {received: hello}}`, `expected "hello" received, got "" received`},
		"discards":    {`- expect: {nick: {discards: nonsense}}`, "got nothing discarded"},
		"knows":       {`- expect: {nick: {knows: wang}}`, "expected the MAC address of wang known"},
		"success":     {`- [on feige: listen :80, on nick: connect feige:80 fails ECONNREFUSED]`, "expected connect to fail with ECONNREFUSED, got success"},
		"other error": {`- on nick: connect feige:80 fails ETIMEDOUT`, "expected connect to fail with ETIMEDOUT, got ECONNREFUSED"},
		"call":        {`- on nick: connect feige:80`, "test.yaml:12:14: expected connect to succeed, got ECONNREFUSED"},
		"answer":      {`- [on feige: serve upper :80, on nick: send hello to feige:80 expect hello]`, `expected to receive "hello", got "HELLO"`},
		"end": {
			`- [on feige: serve upper :80 once, on nick: connect feige:80, on nick: send hello, on nick: receive HELLOHELLO]`,
			`expected to receive "HELLOHELLO", got "HELLO", and the end of the stream`,
		},
		"heard": {
			`- [meanwhile on feige: hear hello at :5000, wait: 1ms, on nick: shout goodbye to feige:5000]`,
			`expected to hear "hello", got "goodbye"`,
		},
		"limit": {
			`- [on feige: listen :80, on nick: connect feige:80, on nick: receive hello]`,
			"expected this step to end, got no end within 24h0m0s",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := play(t, "  "+steps(test.scenario))
			if r.OK() || !strings.Contains(r.Failures[0].String(), test.want) {
				t.Errorf("got %v, want %s", r.Failures, test.want)
			}
		})
	}
}

// steps writes the steps of a list in brackets as a list of lines.
func steps(s string) string {
	inner, ok := strings.CutPrefix(s, "- [")
	if !ok {
		return s
	}
	return "- " + strings.ReplaceAll(strings.TrimSuffix(inner, "]"), ", ", "\n  - ")
}

// After a failed expectation the scenario goes on, after a failed call it
// doesn't.
func TestWhatFollowsAFailure(t *testing.T) {
	r, said := play(t, `  - expect: {nick: {state: ESTABLISHED, within: 0s}}
  - say: one
  - on nick: connect feige:80
  - say: two
`)
	if len(r.Failures) != 2 || len(said) != 1 || said[0] != ": one" {
		t.Errorf("%v, %q", r.Failures, said)
	}
	if r.Summary() != "2 of 2 expectations failed" {
		t.Error(r.Summary())
	}
}

// An expectation waits for as long as it may, and no longer.
func TestExpectationsWait(t *testing.T) {
	r, _ := play(t, `  - on feige: listen :80
  - meanwhile on nick: [ping feige, connect feige:80]
  - expect: {nick: {state: ESTABLISHED, within: 5s}}
  - expect: {wang: {state: ESTABLISHED, within: 5s}}
`)
	if len(r.Failures) != 1 || r.Held < 2 || r.Elapsed < 5*time.Second || r.Elapsed > 6*time.Second {
		t.Errorf("%v, %d held, %v", r.Failures, r.Held, r.Elapsed)
	}
}

// A cancelled context ends a lab at any pace.
func TestCancel(t *testing.T) {
	c, err := lab.Parse("test.yaml", []byte(rooms+"scenario:\n  - wait: 1000h\n"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := lab.Run(ctx, c, lab.Options{Speed: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A lab of the size that a school has runs in a moment.
func TestManyHosts(t *testing.T) {
	var b strings.Builder
	b.WriteString("lans: {hall: {subnet: 10.0.0.0/16}}\nhosts:\n")
	for i := range 300 {
		fmt.Fprintf(&b, "  pupil-%d: {}\n", i)
	}
	b.WriteString("scenario:\n  - on pupil-7: shout hello to everyone:9\n  - wait: 1s\n")
	r, _ := playFile(t, b.String())
	if !r.OK() || r.Summary() != "Nothing was expected" {
		t.Error(r)
	}
}
