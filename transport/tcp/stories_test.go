package tcp

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the stories anew, as they are told now")

func TestStoriesOfLosses(t *testing.T)   { tellAll(t, "losses") }
func TestStoriesOfTimeouts(t *testing.T) { tellAll(t, "timeouts") }
func TestStoriesOfProbes(t *testing.T)   { tellAll(t, "probes") }

// tellAll compares the stories of a directory of testdata/stories with what happens. They tell what a connection does when segments are lost, late or
// doubled, step by step. A line that begins with a word is what happens, from the moment
// when the connection is established:
//
//	set sack                               of the host, before the connection: see sets
//	rtt 100ms                              of the handshake, before the connection
//	write 5000                             the program writes so many octets
//	wait 50ms                              time passes; what is due happens
//	peer A 1 ack 1001                      a segment of the peer arrives
//	close                                  the program closes
//	mtu 600                                a router says what the path takes
//	patience 500ms                         the program's user time-out
//
// What is indented is what the connection does then: what it sends and why, what is told of
// it, and how it stands if that has changed. Lines with # are for the reader.
func tellAll(t *testing.T, directory string) {
	t.Helper()
	names, err := filepath.Glob("testdata/stories/" + directory + "/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no stories: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			told := tellStory(t, string(text))
			if *update {
				if err := os.WriteFile(name, []byte(told), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if told != string(text) {
				t.Errorf("%s: %s", name, firstDifference(told, string(text)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d: it is\n%s\nwant\n%s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}

// A teller tells a story.
type teller struct {
	*end
	config []func(*Config)
	rtt    time.Duration
	stood  string // how the connection stood
}

// tellStory returns the story with what the connection does now.
func tellStory(t *testing.T, text string) string {
	s := teller{}
	var b strings.Builder
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if strings.HasPrefix(line, "  ") {
			continue
		}
		b.WriteString(line + "\n")
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "", "#":
			continue
		case "set":
			s.sets(t, rest)
			continue
		case "rtt":
			s.rtt = duration(t, rest)
			continue
		}
		if s.end == nil {
			s.begins(t)
		}
		if !s.happens(word, rest) {
			t.Fatalf("line %d: what is %q?", n+1, line)
		}
		b.WriteString(s.tells())
	}
	return b.String()
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (s *teller) sets(t *testing.T, what string) {
	adjust, ok := map[string]func(*Config){
		"reno":                     func(*Config) {},
		"cubic":                    func(c *Config) { c.CongestionControl = "cubic" },
		"sack":                     sacked,
		"ecn":                      func(c *Config) { c.ECN = ECNAsk },
		"rack off":                 func(c *Config) { c.RACK = false },
		"probe off":                noProbe,
		"frto off":                 func(c *Config) { c.FRTO = false },
		"dsack off":                func(c *Config) { c.DSACK = false },
		"bbr":                      bbr,
		"static reordering window": func(c *Config) { c.StaticReorderWindow = true },
		"no dupthresh":             func(c *Config) { c.NoDupThresh = true },
		"restart":                  func(c *Config) { c.RTORestart = true },
		"timestamps": func(c *Config) {
			c.Timestamps = true
		},
	}[what]
	if !ok {
		t.Fatalf("what is %q?", what)
	}
	s.config = append(s.config, adjust)
}

func (s *teller) begins(t *testing.T) {
	s.end = synSentEndOf(t, s.config)
	s.after(s.rtt)
	if s.env.ECN == ECNAsk {
		s.peer().sends("SAE 0 ack 1 mss 1000")
	} else {
		s.peer().sends("SA 0 ack 1 mss 1000")
	}
	s.sent = nil
	s.stood = s.stands()
	s.env.Watch = true
}

// synSentEndOf connects, whatever the SYN asks for.
func synSentEndOf(t *testing.T, config []func(*Config)) *end {
	e := newEnd(t, config...)
	e.connect(testParams())
	e.sent = nil
	return e
}

func (s *teller) happens(word, rest string) bool {
	switch word {
	case "write":
		s.writes(s.number(rest))
	case "wait":
		s.passes(duration(s.t, rest))
	case "peer":
		s.peer().sends(rest)
	case "mtu":
		s.does(func(c *Conn) { c.HandlePathMTU(s.now, s.number(rest), c.snd.una) })
	case "patience":
		s.c.SetUserTimeout(duration(s.t, rest))
	case "close":
		s.does(func(c *Conn) { _ = c.CloseWrite(s.now) })
	default:
		return false
	}
	return true
}

// passes lets time pass to its end, whatever is sent meanwhile.
func (s *teller) passes(d time.Duration) {
	to := s.now.Add(d)
	for s.c.NextTimer().Due(to) {
		s.now = max(s.now, s.c.NextTimer())
		s.c.HandleTimer(s.now)
		s.drain()
	}
	s.now = to
}

// tells says what the connection has done since it was last asked.
func (s *teller) tells() string {
	var b strings.Builder
	for _, f := range facts(s.env) {
		if f.Kind != EventTimerSet && f.Kind != EventTimerStopped {
			fmt.Fprintf(&b, "  %s\n", inWords(f))
		}
	}
	for _, sent := range s.sent {
		text, _, _ := strings.Cut(s.show(sent), `" (`)
		again := ""
		if sent.Retransmission {
			again = ", again"
		}
		fmt.Fprintf(&b, "  sends %s at %v: %v%s\n", strings.ReplaceAll(strings.TrimPrefix(text, `"`), " win 65535", ""), sent.at.Sub(began), sent.Reason, again)
	}
	s.sent = nil
	if now := s.stands(); now != s.stood {
		s.stood = now
		fmt.Fprintf(&b, "  %s\n", now)
	}
	return b.String()
}

// stands tells how the connection stands: the window, what is on its way and what is known of
// it, the round trip, the next timer.
func (s *teller) stands() string {
	i := s.c.Info()
	r := i.Recovery
	timer := "no timer"
	if at := s.c.NextTimer(); at != 0 {
		timer = "timer at " + at.Sub(began).String()
	}
	return fmt.Sprintf("%v, cwnd %d, ssthresh %d, pipe %d; %d sent, %d arrived, %d lost, %d again; rtt %v, least %v, rto %v; %s",
		i.Phase, i.Cwnd, i.Ssthresh, r.Pipe, r.Segments, r.Sacked, r.Lost, r.Resent, i.SRTT, r.MinRTT, i.RTO, timer)
}
