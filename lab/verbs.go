package lab

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A Call is one thing that a program does. Which fields count depends on the
// verb.
type Call struct {
	At        Position
	Verb      string
	Text      string // what is sent, shouted, or must be received
	Mode      string // of serve: upper, echo, discard, hold, names
	Way       string // of shutdown: read, write, both
	Option    string // of set
	Value     int    // of set
	Algorithm string // of set congestion
	Setting   string // of sysctl: its name, or "-p" for a file of settings
	To        string // of sysctl: what it is set to, or the file's name
	Host      string // who is meant: a machine, a name, an address, or "everyone"
	Port      uint16 // of Host; or the local one of serve, listen and hear
	From      uint16 // the local port of a connection; 0 for any
	As        string // the name that a connection or listener gets
	Via       string // the name of the connection or listener that is used; empty for the latest
	Answer    string // what must come back
	Size      int64
	Times     int
	Backlog   int
	Rate      int // of flood, in a second
	Sources   netip.Prefix
	For       time.Duration
	Every     time.Duration
	Timeout   time.Duration // 0 for none
	Idle      time.Duration // of keepalive
	Probes    int           // of keepalive
	UDP       bool
	Once      bool
	Echoed    bool
	Urgent    bool
	Keepalive bool
	ReuseAddr bool
	ReusePort bool
	FastOpen  bool
	Fails     string // the error that the call must fail with; empty if it must succeed
}

// A param is what can follow a verb.
type param struct {
	name string
	what string // for messages and the reference
	flag bool   // it stands alone
	set  func(s *scenarioReader, c *Call, w string) error
}

// A verb is a thing that a host's program can do.
type verb struct {
	name    string
	args    []param // in this order, behind the verb
	options []param // by name, in any order
	needs   string  // an option without which the verb makes no sense
	uses    string  // "connection" or "listener": what there must be
	makes   string  // "connection" or "listener": what there is from then on
}

// The parameters that verbs share.
var (
	failsParam   = param{"fails", "an error such as ECONNREFUSED", false, text(func(c *Call, s string) { c.Fails = s }, parseErrorName)}
	asParam      = param{"as", "a name", false, text(func(c *Call, s string) { c.As = s }, parseSocketName)}
	viaParam     = param{"via", "a name", false, text(func(c *Call, s string) { c.Via = s }, parseSocketName)}
	timeoutParam = param{"timeout", "a time such as 5s", false, text(func(c *Call, d time.Duration) { c.Timeout = d }, parsePositive)}
	fromParam    = param{"from", "a local port such as :5000", false, setFrom}
	toParam      = param{"to", "a machine and a port such as feige:8080", false, setRemote}
	hostPort     = param{"HOST:PORT", "a machine and a port such as feige:8080", false, setRemote}
	localPort    = param{":PORT", "a port such as :8080", false, setLocal}
	textParam    = param{"TEXT", "a text", false, text(func(c *Call, s string) { c.Text = s }, parseText)}
	expectParam  = param{"expect", "a text", false, text(func(c *Call, s string) { c.Answer = s }, parseText)}
	fastopen     = flag("fastopen", func(c *Call) { c.FastOpen = true })
	reuseaddr    = flag("reuseaddr", func(c *Call) { c.ReuseAddr = true })
	reuseport    = flag("reuseport", func(c *Call) { c.ReusePort = true })
	backlogParam = param{"backlog", "a number", false, text(func(c *Call, n int) { c.Backlog = n }, parseBacklog)}
	idleParam    = param{"idle", "a time such as 2h", false, text(func(c *Call, d time.Duration) { c.Idle = d }, parseSeconds)}
	everyParam   = param{"every", "a time such as 75s", false, text(func(c *Call, d time.Duration) { c.Every = d }, parsePositive)}
	probesParam  = param{"probes", "a number", false, text(func(c *Call, n int) { c.Probes = n }, parseProbes)}
)

// serverModes are what a server does with those that connect.
var serverModes = []string{"upper", "echo", "discard", "hold", "names"}

// shutdownWays are the directions of shutdown.
var shutdownWays = []string{"read", "write", "both"}

// socketOptions are what set sets.
var socketOptions = slices.Sorted(maps.Keys(optionNumbers))

var verbs = []verb{
	{
		name: "serve",
		args: []param{{"MODE", oneOf(serverModes), false, text(func(c *Call, s string) { c.Mode = s }, oneWord(serverModes))}, localPort},
		options: []param{
			flag("udp", func(c *Call) { c.UDP = true }), flag("once", func(c *Call) { c.Once = true }),
			backlogParam, reuseaddr, reuseport,
			flag("keepalive", func(c *Call) { c.Keepalive = true }), idleParam, everyParam, probesParam, failsParam,
		},
	},
	{
		name: "connect", args: []param{hostPort}, makes: "connection",
		options: []param{fromParam, asParam, reuseaddr, fastopen, timeoutParam, failsParam},
	},
	{
		name: "listen", args: []param{localPort}, makes: "listener",
		options: []param{asParam, backlogParam, reuseaddr, reuseport, failsParam},
	},
	{name: "accept", uses: "listener", makes: "connection", options: []param{viaParam, asParam, timeoutParam, failsParam}},
	{
		name: "send", args: []param{textParam}, uses: "connection",
		options: []param{
			toParam, fromParam, reuseaddr, fastopen, expectParam, viaParam,
			flag("urgent", func(c *Call) { c.Urgent = true }), timeoutParam, failsParam,
		},
	},
	{
		name:    "transfer",
		args:    []param{{"SIZE", "a size such as 100kB", false, text(func(c *Call, n int64) { c.Size = n }, parseTransfer)}},
		options: []param{toParam, viaParam, flag("echoed", func(c *Call) { c.Echoed = true }), timeoutParam, failsParam},
		uses:    "connection",
	},
	{name: "receive", args: []param{textParam}, uses: "connection", options: []param{viaParam, timeoutParam, failsParam}},
	{name: "drain", uses: "connection", options: []param{viaParam, timeoutParam, failsParam}},
	{
		name:    "shutdown",
		args:    []param{{"WAY", oneOf(shutdownWays), false, text(func(c *Call, s string) { c.Way = s }, oneWord(shutdownWays))}},
		options: []param{viaParam, failsParam}, uses: "connection",
	},
	{name: "close", uses: "connection or listener", options: []param{viaParam, failsParam}},
	{name: "abort", uses: "connection", options: []param{viaParam, failsParam}},
	{name: "keepalive", uses: "connection", options: []param{idleParam, everyParam, probesParam, viaParam}},
	{
		name: "set",
		args: []param{
			{"OPTION", oneOf(socketOptions), false, text(func(c *Call, s string) { c.Option = s }, oneWord(socketOptions))},
			{"VALUE", "a number, or the name of a congestion control", false, setOptionValue},
		},
		uses: "connection or listener", options: []param{viaParam, failsParam},
	},
	{
		name: "ping", args: []param{{"HOST", "a machine", false, setHost}},
		options: []param{
			{"times", "a number", false, text(func(c *Call, n int) { c.Times = n }, parseTimes)},
			{"size", "a number of bytes", false, text(func(c *Call, n int64) { c.Size = n }, parsePingSize)},
			everyParam, timeoutParam, failsParam,
		},
	},
	{
		name: "flood", args: []param{hostPort}, needs: "rate",
		options: []param{
			{"rate", "a number of SYNs in a second", false, text(func(c *Call, n int) { c.Rate = n }, parseFloodRate)},
			{"for", "a time such as 1s", false, text(func(c *Call, d time.Duration) { c.For = d }, parsePositive)},
			{"sources", "a subnet such as 198.18.0.0/15", false, text(func(c *Call, p netip.Prefix) { c.Sources = p }, parseSources)},
			failsParam,
		},
	},
	{name: "shout", args: []param{textParam}, needs: "to", options: []param{toParam, fromParam, failsParam}},
	{
		name: "hear", args: []param{textParam}, needs: "at",
		options: []param{{"at", "a port such as :5000", false, setLocal}, timeoutParam, failsParam},
	},
	{
		name: "sysctl",
		args: []param{
			{"NAME", "the name of a setting such as net.ipv4.tcp_fin_timeout, or -p", false, setSetting},
			{"VALUE", "its value, or the name of a file of settings", false, setSettingValue},
		},
	},
	{name: "netstat"},
	{name: "arp"},
	{name: "routes"},
}

func flag(name string, set func(*Call)) param {
	return param{name, "", true, func(_ *scenarioReader, c *Call, _ string) error { set(c); return nil }}
}

// text returns the setting of a field by a word that parse reads.
func text[T any](set func(*Call, T), parse func(string) (T, error)) func(*scenarioReader, *Call, string) error {
	return func(_ *scenarioReader, c *Call, w string) error {
		v, err := parse(w)
		if err == nil {
			set(c, v)
		}
		return err
	}
}

func oneWord(words []string) func(string) (string, error) {
	return func(s string) (string, error) {
		if slices.Contains(words, s) {
			return s, nil
		}
		return "", fmt.Errorf("%q is not known here: %s", s, didYouMean(s, words))
	}
}

func parseSocketName(s string) (string, error) {
	if !goodName(s) {
		return "", fmt.Errorf("%q is no name: it must be letters, digits and dashes", s)
	}
	return s, nil
}

func parsePositive(s string) (time.Duration, error) {
	d, err := parseDuration(s)
	if err == nil && d == 0 {
		return 0, errors.New("no time at all is too short")
	}
	return d, err
}

func parseSeconds(s string) (time.Duration, error) {
	d, err := parsePositive(s)
	if err == nil && (d%time.Second != 0 || d > 32767*time.Second) {
		return 0, fmt.Errorf("%q is not a whole number of seconds, up to 32767s", s)
	}
	return d, err
}

func parseBacklog(s string) (int, error) { return parseCount(s, 0, 65535) }
func parseProbes(s string) (int, error)  { return parseCount(s, 1, 127) }
func parseTimes(s string) (int, error)   { return parseCount(s, 1, 100_000) }

func parseOptionValue(s string) (int, error) { return parseCount(s, 0, 1<<30) }

func parseTransfer(s string) (int64, error) {
	n, err := parseSize(s)
	if err == nil && (n < 1 || n > 1<<30) {
		return 0, fmt.Errorf("%q is not between 1 byte and 1GiB", s)
	}
	return n, err
}

// maxPing is what is left of an IPv4 packet behind its header and ICMP's.
const maxPing = 65535 - 20 - 8

func parsePingSize(s string) (int64, error) {
	n, err := parseSize(s)
	if err == nil && n > maxPing {
		return 0, fmt.Errorf("%q is more than %d bytes, the most that a packet holds", s, maxPing)
	}
	return n, err
}

// setLocal reads a port of the program's own machine.
func setLocal(_ *scenarioReader, c *Call, w string) (err error) {
	port, ok := strings.CutPrefix(w, ":")
	if !ok {
		return fmt.Errorf("%q is no port of this machine: write it with a colon in front, such as :8080", w)
	}
	c.Port, err = parsePort(port)
	return err
}

func setFrom(_ *scenarioReader, c *Call, w string) (err error) {
	port, ok := strings.CutPrefix(w, ":")
	if !ok {
		return fmt.Errorf("%q is no port of this machine: write it with a colon in front, such as :5000", w)
	}
	c.From, err = parsePort(port)
	return err
}

// setRemote reads a machine and a port.
func setRemote(s *scenarioReader, c *Call, w string) (err error) {
	host, port, ok := cutLast(w, ":")
	if !ok {
		return fmt.Errorf("%q has no port: write it with a colon, such as %s:8080", w, w)
	}
	if c.Port, err = parsePort(port); err != nil {
		return err
	}
	return setHost(s, c, host)
}

// setHost reads who is meant: a machine, one of the names, an address.
func setHost(s *scenarioReader, c *Call, w string) error {
	c.Host = w
	if w == "everyone" || w == "localhost" || s.config.host(w) != nil || s.config.address(w).IsValid() {
		return nil
	}
	if addr, err := netip.ParseAddr(w); err == nil && !addr.Is4In6() {
		return nil
	}
	names := s.config.nodes()
	for _, n := range s.config.Names {
		names = append(names, n.Name)
	}
	return fmt.Errorf("there is no machine %q: %s", w, didYouMean(w, names))
}
