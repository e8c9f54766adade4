package lab

import (
	"fmt"
	"strings"
	"time"

	"hubbub"
	"hubbub/link"
)

// A ChangeKind says what a Change changes.
type ChangeKind uint8

// The changes of a cable.
const (
	Cut       ChangeKind = iota
	Mend                 //
	Rate                 // Rate
	Delay                // Time
	Jitter               // Time
	Queue                // Count frames
	MTU                  // Count bytes
	Marking              // Count frames
	Loss                 // Share
	Corrupt              // Share
	Duplicate            // Share
	Reorder              // Share, Time
	Bursts               // Burst
	Trap                 // Action, Frames, Time
)

// A Change is one thing that is done to a cable. Which fields count depends on
// the kind.
type Change struct {
	At     Position
	Kind   ChangeKind
	Rate   int64 // bit/s
	Time   time.Duration
	Count  int
	Share  float64 // 0 to 1
	Burst  hubbub.Burst
	Action hubbub.Action
	Frames Frames
}

// cableFields are the keys of what is done to a cable; those that make sense
// as the scenario goes on are among them if it does.
func (r *reader) cableFields(to *[]Change, scenario bool) []field {
	fields := []field{
		{"rate", change(r, to, Rate, "a rate such as 100Mbit/s", parseRate, func(c *Change, v int64) { c.Rate = v })},
		{"delay", change(r, to, Delay, "a time such as 10ms", parseDelay, setTime)},
		{"jitter", change(r, to, Jitter, "a time such as 10ms", parseDelay, setTime)},
		{"queue", change(r, to, Queue, "a number of frames", parseQueue, func(c *Change, v int) { c.Count = v })},
		{"ecn", change(r, to, Marking, "a number of frames", parseQueue, func(c *Change, v int) { c.Count = v })},
		{"mtu", change(r, to, MTU, "a number of bytes", parseMTU, func(c *Change, v int) { c.Count = v })},
		{"loss", change(r, to, Loss, "a share such as 5%", parsePercent, setShare)},
		{"corrupt", change(r, to, Corrupt, "a share such as 5%", parsePercent, setShare)},
		{"duplicate", change(r, to, Duplicate, "a share such as 5%", parsePercent, setShare)},
		{"reorder", change(r, to, Reorder, "a share and a time, such as 5% by 10ms", parseReorder, copyChange)},
		{"burst", r.readBurst(to)},
		{"drop", r.trap(to, link.Drop)},
		{"damage", r.trap(to, link.Corrupt)},
		{"double", r.trap(to, link.Duplicate)},
		{"hold", r.trap(to, link.Delay)},
		{"mark", r.trap(to, link.Mark)},
	}
	if scenario {
		fields = append(fields, field{"cut", r.flag(to, Cut)}, field{"mend", r.flag(to, Mend)})
	}
	return fields
}

func setTime(c *Change, v time.Duration) { c.Time = v }
func setShare(c *Change, v float64)      { c.Share = v }
func copyChange(c *Change, v Change)     { c.Share, c.Time = v.Share, v.Time }

// change returns the reading of a key's single value into a new change.
func change[T any](r *reader, to *[]Change, kind ChangeKind, wanted string,
	parse func(string) (T, error), set func(*Change, T),
) func(key, value *node) {
	return func(key, value *node) {
		text, ok := r.value(key, value, wanted)
		if !ok {
			return
		}
		v, err := parse(text)
		if err != nil {
			r.problem(value.at, "%s: %v", key.text, err)
			return
		}
		c := Change{At: key.at, Kind: kind}
		set(&c, v)
		*to = append(*to, c)
	}
}

// flag returns the reading of a key that is either alone, or true.
func (r *reader) flag(to *[]Change, kind ChangeKind) func(key, value *node) {
	return func(key, value *node) {
		if value.kind != nothing && (value.kind != scalar || value.text != "true") {
			r.problem(value.at, "%s is written alone, or as %s: true", key.text, key.text)
			return
		}
		*to = append(*to, Change{At: key.at, Kind: kind})
	}
}

func parseDelay(s string) (time.Duration, error) {
	d, err := parseDuration(s)
	if err == nil && d > time.Hour {
		return 0, fmt.Errorf("%q is more than an hour, the longest that a cable can hold a frame", s)
	}
	return d, err
}

func parseQueue(s string) (int, error) { return parseCount(s, 1, 1_000_000) }

func parseMTU(s string) (int, error) { return parseCount(s, 68, 65535) }

// parseReorder reads which share of frames is held, and for how long.
func parseReorder(s string) (c Change, err error) {
	share, by, ok := strings.Cut(s, " by ")
	if !ok {
		return c, fmt.Errorf("%q does not say by how much; write a share and a time, such as 5%% by 10ms", s)
	}
	if c.Share, err = parsePercent(strings.TrimSpace(share)); err == nil {
		c.Time, err = parseDelay(strings.TrimSpace(by))
	}
	return c, err
}

// readBurst reads the Gilbert-Elliott model of losses in bursts.
func (r *reader) readBurst(to *[]Change) func(key, value *node) {
	return func(key, value *node) {
		b := hubbub.Burst{LossBad: 1}
		before := len(r.problems)
		r.fields(value, "burst", []field{
			{"begins", into(r, &b.ToBad, "a share such as 1%", parsePercent)},
			{"ends", into(r, &b.ToGood, "a share such as 25%", parsePercent)},
			{"loss", into(r, &b.LossBad, "a share such as 90%", parsePercent)},
		})
		if len(r.problems) == before && (b.ToBad == 0 || b.ToGood == 0) {
			r.problem(key.at, "burst needs begins and ends: how likely each frame begins a burst of losses, and ends it, such as {begins: 1%%, ends: 25%%}")
			return
		}
		*to = append(*to, Change{At: key.at, Kind: Bursts, Burst: b})
	}
}

// trap returns the reading of which frames something happens to.
func (r *reader) trap(to *[]Change, action hubbub.Action) func(key, value *node) {
	return func(key, value *node) {
		text, ok := r.value(key, value, "certain frames, such as the second SYN-ACK")
		if !ok {
			return
		}
		c := Change{At: key.at, Kind: Trap, Action: action}
		if action == link.Delay {
			phrase, d, found := cutLast(text, " for ")
			var err error
			if c.Time, err = parseDelay(d); !found || err != nil {
				r.problem(value.at, "hold must say for how long, such as hold: the first SYN for 200ms")
				return
			}
			text = phrase
		}
		c.Frames, ok = r.frames(value, text)
		if ok {
			*to = append(*to, c)
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
