package capture

import (
	"fmt"
	"strings"
)

// drawMark draws what happened at one end alone: a call, a change of state.
func (s *sketch) drawMark(side int, m *moment) {
	s.reach(m)
	lines := wrap(clean(m.item.text), s.lane-2)
	for i, l := range lines {
		lines[i] = s.align(side, l, dim)
	}
	s.row(sided(side, m.time.String()), sidedStates(side, m.item.states), lines)
}

// align puts a line of text at an end's side of the lane.
func (s *sketch) align(side int, text, colour string) string {
	if side == 0 {
		return " " + s.paint(colour, text)
	}
	return blanks(s.lane-1-textWidth(text)) + s.paint(colour, text) + " "
}

// drawArrow draws a packet that left one end and arrived at the other.
func (s *sketch) drawArrow(side int, m, landing *moment) {
	s.reach(m)
	f := m.item.flight
	times, states := [2]string{}, [2][]string{}
	times[side], times[1-side] = m.time.String(), landing.time.String()
	states[side], states[1-side] = f.states, landing.landing.states
	s.last = max(s.last, landing.time)
	lines := s.arrow(side, f, landing.landing.discarded)
	s.row(times, states, lines)
}

// arrow returns an arrow across the lane, with the label and, if there is room
// for it, the reason.
func (s *sketch) arrow(from int, f *flight, discarded string) []string {
	h := s.d.horizontal
	start, stop := h+" ", " "+h+s.d.head(from, discarded)
	if from == 1 {
		start, stop = s.d.head(from, discarded)+h+" ", " "+h
	}
	var lines []string
	room := s.lane - textWidth(start) - textWidth(stop) - 4 // beside two blanks and a line of two
	label, reason := withData(clean(f.label), f.data, room), interesting(f.reason)
	if fill := room + 2 - textWidth(label) - textWidth(reason); reason != "" && fill >= 2 {
		lines = append(lines, start+label+" "+repeated(h, fill)+" "+reason+stop)
	} else {
		label, rest := fold(label, room)
		lines = append(lines, start+label+" "+repeated(h, room+4-textWidth(label))+strings.TrimLeft(stop, " "))
		lines = s.more(lines, from, rest)
		lines = s.explain(lines, from, reason)
	}
	lines = s.explain(lines, from, f.harm)
	if piece := f.landings[0].piece; piece != "" {
		lines = append(lines, s.align(1-from, "(cut on the way: "+piece+")", dim))
	}
	if discarded != "" {
		for _, l := range wrap("discarded: "+clean(discarded), s.lane-2) {
			lines = append(lines, s.align(1-from, l, red))
		}
	}
	return lines
}

// fold cuts a label between words, where it doesn't fit into n columns.
func fold(label string, n int) (first, rest string) {
	if textWidth(label) <= n {
		return label, ""
	}
	first = wrap(label, n)[0]
	return first, strings.TrimLeft(strings.TrimPrefix(label, first), " ")
}

// more adds lines with the rest of a label.
func (s *sketch) more(lines []string, from int, rest string) []string {
	if rest == "" {
		return lines
	}
	for _, l := range wrap(rest, s.lane-4) {
		if from == 0 {
			l = " " + l
		}
		lines = append(lines, s.align(from, l, ""))
	}
	return lines
}

// explain adds lines about a packet at the side where it was sent.
func (s *sketch) explain(lines []string, from int, text string) []string {
	if text == "" {
		return lines
	}
	for _, l := range wrap("("+clean(text)+")", s.lane-4) {
		if from == 0 {
			l = " " + l
		}
		lines = append(lines, s.align(from, l, dim))
	}
	return lines
}

// head returns an arrow's head.
func (d *drawing) head(from int, discarded string) string {
	switch {
	case discarded != "":
		return "X"
	case from == 0:
		return ">"
	}
	return "<"
}

// interesting returns a reason that says more than the packet itself.
func interesting(reason string) string {
	switch reason {
	case "data", "datagram", "ACK", "no reason", "sent by a raw socket":
		return ""
	}
	return clean(reason)
}

// drawDeparture draws the first half of an arrow that crosses others.
func (s *sketch) drawDeparture(side int, m *moment) {
	s.reach(m)
	f := m.item.flight
	s.tags[f] = len(s.tags) + 1
	label, rest := fold(withData(clean(f.label), f.data, s.lane-12), s.lane-12)
	h, tag := s.d.horizontal, fmt.Sprintf("#%d", s.tags[f])
	var line string
	fill := max(2, s.lane*3/5-textWidth(label)-textWidth(tag)-4)
	if side == 0 {
		line = h + " " + label + " " + repeated(h, fill) + " " + tag
	} else {
		line = tag + " " + repeated(h, fill) + " " + label + " " + h
		line = padLeft(line, s.lane)
	}
	lines := s.explain(s.more([]string{line}, side, rest), side, interesting(f.reason))
	s.row(sided(side, m.time.String()), sidedStates(side, f.states), lines)
}

// drawLanding draws the second half of an arrow, or the arrival of a copy.
func (s *sketch) drawLanding(side int, m *moment) {
	s.reach(m)
	f := m.item.flight
	tag := ""
	switch {
	case m.number > 0 && m.landing.piece != "":
		tag = "(cut)"
	case m.number > 0:
		tag = "(once more)"
	case s.tags[f] != 0:
		tag = fmt.Sprintf("#%d", s.tags[f])
	default:
		s.tags[f] = len(s.tags) + 1
	}
	h := s.d.horizontal
	text := f.label
	if m.landing.piece != "" {
		text = m.landing.piece
	}
	label, rest := fold(clean(text), s.lane-18)
	head := s.d.head(1-side, m.landing.discarded)
	fill := max(2, s.lane*2/5-textWidth(label)-textWidth(tag)-4)
	var line string
	if side == 0 {
		line = head + h + " " + label + " " + repeated(h, fill) + " " + tag
	} else {
		line = padLeft(strings.TrimLeft(tag+" "+repeated(h, fill)+" ", " ")+label+" "+h+head, s.lane)
	}
	lines := []string{line}
	if f.foreign {
		lines = s.more(lines, side, rest) // it is told nowhere else
	}
	if m.landing.discarded != "" {
		for _, l := range wrap("discarded: "+clean(m.landing.discarded), s.lane-2) {
			lines = append(lines, s.align(side, l, red))
		}
	}
	s.row(sided(side, m.time.String()), sidedStates(side, m.landing.states), lines)
}

// drawLost draws a packet that did not arrive.
func (s *sketch) drawLost(side int, m *moment) {
	s.reach(m)
	f := m.item.flight
	h := s.d.horizontal
	label, rest := fold(withData(clean(f.label), f.data, s.lane-12), s.lane-12)
	why, mark := "under way", "?"
	if len(f.lost) > 0 {
		last := f.lost[len(f.lost)-1]
		why, mark = clean(last.reason), "X"
		if last.node != "" {
			why += " (" + clean(last.node) + ")"
		}
	}
	lines := []string{}
	room := s.lane - textWidth(label) - textWidth(why) - 6
	fill := max(2, min(room, s.lane*3/5-textWidth(label)-4))
	if room < 2 {
		fill = max(2, s.lane*3/4-textWidth(label)-4)
	}
	arrow := h + " " + label + " " + repeated(h, fill) + mark
	if side == 1 {
		arrow = mark + repeated(h, fill) + " " + label + " " + h
	}
	switch {
	case room < 2 && side == 0:
		lines = append(lines, arrow)
	case room < 2:
		lines = append(lines, padLeft(arrow, s.lane))
	case side == 0:
		lines = append(lines, arrow+" "+s.paint(red, why)+blanks(s.lane-textWidth(arrow)-1-textWidth(why)))
	default:
		lines = append(lines, blanks(s.lane-textWidth(arrow)-1-textWidth(why))+s.paint(red, why)+" "+arrow)
	}
	lines = s.more(lines, side, rest)
	if room < 2 {
		for _, l := range wrap(why, s.lane-4) {
			lines = append(lines, s.align(side, l, red))
		}
	}
	lines = s.explain(lines, side, interesting(f.reason))
	s.row(sided(side, m.time.String()), sidedStates(side, f.states), lines)
}

// The terminal's colours.
const (
	bold = "1"
	dim  = "2"
	red  = "31"
)

// paint colours a text, if colours are wanted.
func (s *sketch) paint(colour, text string) string { return paint(s.o.Color, colour, text) }

func paint(on bool, colour, text string) string {
	if !on || colour == "" || strings.TrimSpace(text) == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[m"
}
