package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"hubbub"
)

// A contest is two connections that share a link: both send all the time to
// one receiver, whose cable is the path. The second begins later.
type contest struct {
	path   path
	first  string // algorithms
	second string
	late   time.Duration // by how much later the second's host hears of what happens
	linux  bool          // the second is Linux's
}

// The times of a contest: the second connection begins later than the first;
// what each gets is measured some time after that.
const (
	later    = 5 * time.Second
	settling = 30 * time.Second
)

// Chance decides which of the two loses a segment when the queue overflows, so
// that shares wander. A contest is held several times, and lasts: each time
// the second begins somewhat later, and chance differs.
const (
	virtualTimes = 6
	virtualWatch = 200 * time.Second
	realTimes    = 10
	realWatch    = 120 * time.Second
	somewhat     = 1234567 * time.Microsecond
)

// outside is longer than it takes a frame to get to the kernel and its answer back.
const outside = 600 * time.Microsecond

// name is how the results refer to the contest.
func (c contest) name() string {
	name := fmt.Sprintf("%s/%v/%s+%s", rateName(c.path.rate), c.path.rtt, c.first, c.second)
	if c.late > 0 {
		name += fmt.Sprintf("/%v", c.late)
	}
	if c.linux {
		return name + "/linux"
	}
	return name
}

// contests are the rows of the table of fairness.
func contests() (all []contest) {
	for _, pair := range [][2]string{{"cubic", "cubic"}, {"reno", "reno"}, {"bbr", "bbr"}, {"cubic", "reno"}, {"cubic", "bbr"}, {"bbr", "cubic"}} {
		for _, rtt := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond} {
			all = append(all, contest{path: path{10_000_000, rtt, harms[0]}, first: pair[0], second: pair[1]})
		}
	}
	for _, rtt := range []time.Duration{20 * time.Millisecond, 50 * time.Millisecond} {
		c := contest{path: path{10_000_000, rtt, harms[0]}, first: "cubic", second: "cubic"}
		late, linux := c, c
		late.late, linux.linux = outside, true
		all = append(all, late, linux)
	}
	return all
}

// scattered is over how many frames' time on the link the senders' frames are
// scattered. With less than eight it decides a contest of the same algorithm with
// itself whether one host answers half a millisecond later: it gets up to 2.5 times
// as much as the other.
const scattered = 16

// scatter lets frames on their way from the senders take longer by a random time,
// as the traffic of others does. Else it would always be the same connection whose
// frames arrive at the full queue just before there is room again, by when its host
// answers alone: a phase effect (Floyd and Jacobson, On Traffic Phase Effects in
// Packet-Switched Gateways, 1991). One frame's time, which they advise, is too little
// where an ACK lets two or three frames leave at once.
func (c contest) scatter(senders ...*hubbub.Cable) error {
	for _, s := range senders {
		if err := s.SetJitter(hubbub.Out, scattered*c.path.frameTime(), false); err != nil {
			return err
		}
	}
	return nil
}

// A share is what two connections got in a contest.
type share struct {
	first, second int64 // bit/s
}

// apart returns by how much the lesser share is below the greater, as a
// fraction of the greater.
func (s share) apart() float64 {
	return 1 - float64(min(s.first, s.second))/float64(max(s.first, s.second, 1))
}

// String returns the shares in words.
func (s share) String() string {
	return fmt.Sprintf("%.2f and %.2f Mbit/s, %.0f %% apart", float64(s.first)/1e6, float64(s.second)/1e6, 100*s.apart())
}

// A fairness is what all contests have shown, by their names.
type fairness map[string]share

// loadFairness reads the file.
func loadFairness(name string) (fairness, error) {
	b, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	all := make(fairness)
	for line := range strings.Lines(string(b)) {
		var contest string
		var s share
		if _, err := fmt.Sscanf(line, "%s %d %d", &contest, &s.first, &s.second); err != nil {
			return nil, fmt.Errorf("%s: %q should be a contest and two numbers: %w", name, line, err)
		}
		all[contest] = s
	}
	return all, nil
}

// save writes the file.
func (f fairness) save(name string) error { return os.WriteFile(name, []byte(f.text()), 0o644) }

// text returns the file's text.
func (f fairness) text() string {
	var b strings.Builder
	for _, c := range contests() {
		if s, ok := f[c.name()]; ok {
			fmt.Fprintf(&b, "%s\t%d\t%d\n", c.name(), s.first, s.second)
		}
	}
	return b.String()
}

// markdown returns a table.
func (f fairness) markdown() string {
	var b strings.Builder
	fmt.Fprint(&b, "| Round trip | First | Second, 5 s later | First gets | Second gets | Apart |\n|---|---|---|---:|---:|---:|\n")
	for _, c := range contests() {
		s, ok := f[c.name()]
		if !ok {
			continue
		}
		second := c.second
		if c.linux {
			second = "Linux's " + second
		}
		if c.late > 0 {
			second += fmt.Sprintf(", which hears of all %v later", c.late)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %.2f | %.2f | %.0f %% |\n", rttName(c.path.rtt), c.first, second,
			float64(s.first)/1e6, float64(s.second)/1e6, 100*s.apart())
	}
	return b.String()
}

// fair lets all contend, hubbub's algorithms or hubbub and Linux.
func fair(o options, linux bool) error {
	all, err := loadFairness(fairFile)
	if err != nil {
		return err
	}
	for _, c := range contests() {
		if c.linux != linux || !o.only.MatchString(c.name()) {
			continue
		}
		run := virtualContests
		if linux {
			run = realContests
		}
		s, err := run(c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		fmt.Printf("%s: %v\n", c.name(), s)
		all[c.name()] = s
	}
	if !o.keep {
		return nil
	}
	return errors.Join(all.save(fairFile), fairPlace.write(document, all.markdown()))
}

// between returns the shares of the time between two counts of octets.
func between(from, to [2]int64, watched time.Duration) share {
	rate := func(i int) int64 { return int64(float64(to[i]-from[i]) * 8 / watched.Seconds()) }
	return share{rate(0), rate(1)}
}

// meanShare returns what several contests show together.
func meanShare(all []share) (m share) {
	for _, s := range all {
		m.first += s.first / int64(len(all))
		m.second += s.second / int64(len(all))
	}
	return m
}

// virtualContests lets two hubbub hosts contend, in virtual time.
func virtualContests(c contest) (share, error) {
	all := make([]share, virtualTimes)
	for i := range all {
		s, err := virtualContest(c, i, virtualWatch)
		if err != nil {
			return s, err
		}
		all[i] = s
	}
	return meanShare(all), nil
}

// virtualContest is the i-th of them.
func virtualContest(c contest, i int, watched time.Duration) (share, error) {
	n := hubbub.New(hubbub.Virtual(), hubbub.Seed(uint64(i)+1), hubbub.Config(buffers))
	defer n.Close()
	lan := n.LAN("lan", "10.0.0.0/24")
	to := lan.Host("receiver")
	if err := c.path.apply(to.Cable(), hubbub.In); err != nil {
		return share{}, err
	}
	begins := later + time.Duration(i)*somewhat
	flows := [2]*flow{
		{from: lan.Host("first"), to: to, algorithm: c.first, port: ":9001"},
		{from: lan.Host("second"), to: to, algorithm: c.second, port: ":9002", begins: begins},
	}
	if err := c.scatter(flows[0].from.Cable(), flows[1].from.Cable()); err != nil {
		return share{}, err
	}
	if err := flows[1].from.Cable().SetDelay(hubbub.In, c.late); err != nil {
		return share{}, err
	}
	for _, f := range flows {
		if err := f.start(); err != nil {
			return share{}, err
		}
	}
	var counts [2][2]int64
	for i, d := range []time.Duration{begins + settling, watched} {
		if err := n.RunFor(d); err != nil {
			return share{}, err
		}
		for k, f := range flows {
			if f.err != nil {
				return share{}, f.err
			}
			counts[i][k] = f.received.Load()
		}
	}
	return between(counts[0], counts[1], watched), nil
}
