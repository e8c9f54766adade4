package capture

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/wire"
)

// idle is how long nothing must happen for the gap to be drawn.
const idle = 500 * time.Millisecond

// columnState is the width of the columns for the states.
const columnState = 12

// A moment is an event in the column of one end: an item of that end, or the
// landing of a packet from the other.
type moment struct {
	id      event.ID
	time    clock.Time
	item    *item
	landing *landing // nil for the end's own item
	number  int      // of the landing
}

// A sketch is a ladder that is being drawn.
type sketch struct {
	c        *conversation
	o        *LadderOptions
	d        *drawing
	out      strings.Builder
	queue    [2][]moment
	tags     map[*flight]int // of arrows in two halves
	times    int             // the width of the columns for the times
	lane     int             // the width between the bars
	last     clock.Time
	drawn    bool
	resuming *item // the first after those left out
}

// draw draws a conversation.
func (c *conversation) draw(o *LadderOptions) string {
	s := &sketch{c: c, o: o, d: drawingFor(o.ASCII), tags: make(map[*flight]int)}
	s.arrange()
	s.head()
	for len(s.queue[0])+len(s.queue[1]) > 0 {
		s.step()
	}
	return s.out.String()
}

// arrange puts what happened into the two columns.
func (s *sketch) arrange() {
	var latest clock.Time
	for _, i := range s.c.items {
		if i.flight == nil || !i.flight.foreign || len(i.flight.landings) == 0 {
			s.push(i.side, moment{id: i.id, time: i.time, item: i})
		}
		latest = max(latest, i.time)
		if i.flight == nil {
			continue
		}
		for n, at := range i.flight.landings {
			s.push(1-i.side, moment{at.id, at.time, i, at, n})
			latest = max(latest, at.time)
		}
	}
	for side := range s.queue {
		slices.SortStableFunc(s.queue[side], func(a, b moment) int { return int(int64(a.id) - int64(b.id)) })
	}
	if s.c.omitted > 0 && len(s.c.items) > s.c.most/2 {
		s.resuming = s.c.items[s.c.most/2]
	}
	s.times = len(latest.String())
	s.lane = s.o.Width - 2*(s.times+1+columnState+2)
}

func (s *sketch) push(side int, m moment) { s.queue[side] = append(s.queue[side], m) }

// head writes who the ends are, and the states that they begin with.
func (s *sketch) head() {
	c := s.c
	var names, titles [2]string
	for side := range names {
		names[side], titles[side] = clean(c.ends[side].name), c.address(side)
		if names[side] == "" {
			names[side] = c.ends[side].addr.Addr().String()
		} else {
			titles[side] = names[side] + " " + titles[side]
		}
	}
	title := fmt.Sprintf("%v between %s and %s", c.protocol, names[0], names[1])
	if len(c.paths) > 0 {
		title += ", by way of " + clean(strings.Join(c.paths, ", "))
	}
	s.out.WriteString(s.paint(bold, title) + "\n\n")
	left, right := titles[0], titles[1]
	s.out.WriteString(strings.TrimRight(left+blanks(s.o.Width-textWidth(left)-textWidth(right))+right, " ") + "\n")
	s.row([2]string{}, [2][]string{{c.ends[0].first}, {c.ends[1].first}}, []string{""})
}

// address returns an end's address; of a ping it has no port.
func (c *conversation) address(side int) string {
	if c.protocol == wire.ProtocolICMP {
		return c.ends[side].addr.Addr().String()
	}
	return c.ends[side].addr.String()
}

// step draws what comes next: of the two columns' first moments the earlier,
// unless that has to wait for the other.
func (s *sketch) step() {
	first := 0
	if len(s.queue[0]) == 0 || len(s.queue[1]) > 0 && s.queue[1][0].id < s.queue[0][0].id {
		first = 1
	}
	for _, side := range [2]int{first, 1 - first} {
		if len(s.queue[side]) > 0 && s.try(side) {
			return
		}
	}
	m := s.queue[first][0]
	s.pop(first)
	if m.landing != nil {
		s.drawLanding(first, &m)
	} else {
		s.drawDeparture(first, &m)
	}
}

// try draws a column's first moment, if it need not wait.
func (s *sketch) try(side int) bool {
	m := s.queue[side][0]
	f := m.item.flight
	switch {
	case f == nil:
		s.pop(side)
		s.drawMark(side, &m)
	case m.landing != nil && !s.waits(&m):
		s.pop(side)
		s.drawLanding(side, &m)
	case m.landing != nil:
		return false
	case len(f.landings) == 0:
		s.pop(side)
		s.drawLost(side, &m)
	default:
		return s.tryDeparture(side, &m)
	}
	return true
}

// waits reports whether a landing belongs to a departure that is still to be
// drawn.
func (s *sketch) waits(m *moment) bool {
	return m.number == 0 && !m.item.flight.foreign && s.tags[m.item.flight] == 0
}

// tryDeparture draws an arrow, in one line if its landing comes next at the
// other end, in two if it crosses others.
func (s *sketch) tryDeparture(side int, m *moment) bool {
	other := s.queue[1-side]
	if len(other) > 0 && other[0].landing == m.item.flight.landings[0] {
		landing := other[0]
		s.pop(side)
		s.pop(1 - side)
		s.drawArrow(side, m, &landing)
		return true
	}
	crossed, crossing := s.crossing(1-side, m.item.flight.landings[0])
	if crossing == nil {
		return false
	}
	crosses, _ := s.crossing(side, crossing.flight.landings[0])
	if crossed < crosses || crossed == crosses && crossing.id < m.id {
		return false
	}
	s.pop(side)
	s.drawDeparture(side, m)
	return true
}

// crossing counts the departures in a column before a landing that have
// landings of their own to come, and returns the first.
func (s *sketch) crossing(side int, before *landing) (n int, first *item) {
	for _, m := range s.queue[side] {
		if m.landing == before {
			break
		}
		if m.landing == nil && m.item.flight != nil && len(m.item.flight.landings) > 0 {
			n++
			if first == nil {
				first = m.item
			}
		}
	}
	return n, first
}

func (s *sketch) pop(side int) { s.queue[side] = s.queue[side][1:] }

// reach draws the gap before a moment, if it is long.
func (s *sketch) reach(m *moment) {
	if m.item == s.resuming {
		s.resuming = nil
		s.note(counted(s.c.omitted, "thing") + " left out here")
	}
	if gap := m.time.Sub(s.last); s.drawn && gap >= idle {
		s.note(spanText(gap))
	}
	s.drawn = true
	s.last = max(s.last, m.time)
}

func (s *sketch) note(text string) {
	s.row([2]string{}, [2][]string{}, []string{centre(s.paint(dim, s.d.dots+" "+text), s.lane)})
}

// row writes a line, or as many as the lane and the states need.
func (s *sketch) row(times [2]string, states [2][]string, lane []string) {
	n := max(len(lane), len(states[0]), len(states[1]))
	for i := range n {
		var l, st0, st1, text string
		if i == 0 {
			l = times[0]
		}
		if i < len(lane) {
			text = lane[i]
		}
		st0, st1 = at(states[0], i), at(states[1], i)
		line := padLeft(l, s.times) + " " + pad(s.paint(bold, st0), columnState) + " " + s.d.vertical +
			pad(text, s.lane) + s.d.vertical + " " + pad(s.paint(bold, st1), columnState)
		if i == 0 && times[1] != "" {
			line += " " + padLeft(times[1], s.times)
		}
		s.out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// side puts something at its side of a pair.
func sided(side int, text string) (pair [2]string) {
	pair[side] = text
	return pair
}

func sidedStates(side int, states []string) (pair [2][]string) {
	pair[side] = states
	return pair
}
