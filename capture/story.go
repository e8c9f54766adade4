package capture

import (
	"io"
	"net/netip"
	"strings"

	"hubbub/clock"
	"hubbub/event"
)

// A Detail says how much a [Story] tells; each level tells what the lower ones
// do, and more.
type Detail int

// The levels.
const (
	Words      Detail = iota // what programs say, and whether expectations held
	Plot                     // every packet: who sent it and why, who heard it, what came of it
	Depths                   // timers, windows, socket calls, the RFCs' sections
	EveryLayer               // every packet layer by layer
)

// StoryOptions say how a [Story] is told. The zero value tells Words only.
type StoryOptions struct {
	Detail Detail
	Names  map[netip.Addr]string // of hosts
	Filter *Filter               // what it is about; words, expectations and faults are always told
	Width  int                   // columns, at least 60; 0 for 100
	ASCII  bool                  // write ASCII characters only
	Color  bool                  // use the terminal's colours
}

// A Story tells what happens as it happens: a line for each thing, with the
// time, the node, and beneath each packet what becomes of it. Close tells what
// it still has in mind.
//
// A line may wait until the next event, which can belong to it: that a frame
// was heard and discarded is one line.
type Story struct {
	w       io.Writer
	o       StoryOptions
	d       *drawing
	err     error
	origins *origins
	frames  map[event.ID]string // what is told of, by origin: such as "nick's SYN"
	order   []event.ID
	flows   map[conversationKey]*conversation
	routes  map[route]bool // those that were told
	crowd   crowd

	pending     *pendingLine
	overheard   []overhearing
	overheardAt clock.Time
	discarded   event.ID // the FrameHeard whose discard was told last
	switches    map[string]bool
	topic       event.ID // the origin that "it" means
	lastTime    clock.Time
	lastNode    string
	lastDepth   int
	anything    bool
	nodeWidth   int
}

// A pendingLine waits for the next event.
type pendingLine struct {
	event  *event.Event
	heard  *event.FrameHeard // a frame was heard
	ports  []string          // or was repeated from these ports
	origin event.ID
	flood  bool
	learnt []string
}

// An overhearing is a frame that machines discard because it is for another.
type overhearing struct {
	origin event.ID
	reason string
	nodes  []string
}

type route struct {
	node        string
	destination netip.Addr
}

// NewStory returns a Story that is written to w.
func NewStory(w io.Writer, o StoryOptions) *Story {
	if o.Width == 0 {
		o.Width = 100
	}
	o.Width = max(o.Width, 60)
	s := &Story{
		w: w, o: o, d: drawingFor(o.ASCII), origins: newOrigins(), frames: make(map[event.ID]string),
		flows: make(map[conversationKey]*conversation), routes: make(map[route]bool),
		switches: make(map[string]bool), crowd: newCrowd(), nodeWidth: 10,
	}
	for _, name := range o.Names {
		s.widen(name)
	}
	return s
}

// widen makes room for a node's name.
func (s *Story) widen(name string) { s.nodeWidth = min(max(s.nodeWidth, textWidth(name)), 16) }

// Handle tells the next event.
func (s *Story) Handle(e *event.Event) {
	if s.err != nil {
		return
	}
	if len(s.overheard) > 0 && e.Time != s.overheardAt {
		s.tellOverheard()
	}
	switch b := e.Body.(type) {
	case event.Said:
		s.settle()
		s.tellCrowds(e.Time)
		s.say(e, 0, s.d.quote+" "+s.paint(bold, clean(b.Text)))
	case event.Expected:
		s.settle()
		s.tellCrowds(e.Time)
		s.expected(e, &b)
	default:
		if s.o.Detail >= Plot && !s.muted(e) {
			s.plot(e)
		}
	}
}

// Close tells what was held back.
func (s *Story) Close() error {
	s.settle()
	s.tellOverheard()
	s.tellCrowds(s.lastTime)
	return s.err
}

func (s *Story) expected(e *event.Event, b *event.Expected) {
	if b.OK {
		s.say(e, 0, s.paint(green, s.d.check)+" "+clean(b.What))
		return
	}
	s.say(e, 0, s.paint(red, s.d.cross+" expected "+clean(b.What)+", got "+clean(b.Got)))
}

// plot tells an event of the network's.
func (s *Story) plot(e *event.Event) {
	switch b := e.Body.(type) {
	case event.FrameSent:
		s.sent(e, &b)
	case event.FrameHeard:
		s.heard(e, &b)
	case event.FrameDropped:
		s.dropped(e, &b)
	case event.TCPState:
		s.state(e, &b)
	case event.Learned:
		s.learned(e, &b)
	case event.Fault:
		s.settle()
		s.say(e, 0, s.paint(red, "*** "+clean(b.What)))
	default:
		s.other(e)
	}
}

// name returns what a node that has an address is called.
func (s *Story) name(addr netip.Addr) string {
	if name := s.o.Names[addr]; name != "" {
		return clean(name)
	}
	if addr.Is6() && addr.IsMulticast() {
		if name := groupName(addr); name != "" {
			return name
		}
	}
	return addr.String()
}

func (s *Story) socket(addr netip.AddrPort) string {
	name := s.name(addr.Addr()) + ":"
	if addr.Port() == 0 {
		return strings.TrimSuffix(name, ":")
	}
	return name + netip.AddrPortFrom(netip.IPv4Unspecified(), addr.Port()).String()[len("0.0.0.0:"):]
}

// it returns how to refer to a packet: as "it" if the last line was about it.
func (s *Story) it(origin event.ID) string {
	name := s.frames[origin]
	if origin == s.topic {
		return "it"
	}
	s.topic = origin
	return name
}

// know notes that a packet is told of, under a name.
func (s *Story) know(origin event.ID, name string) {
	s.frames[origin] = name
	s.order = append(s.order, origin)
	if len(s.order) > maxOrigins {
		delete(s.frames, s.order[0])
		s.order = s.order[1:]
	}
	s.topic = origin
}

// stampWidth is the width of the column for the times.
const stampWidth = 10

// say writes a line about a node. depth says how far it is indented beneath
// what brought it about.
func (s *Story) say(e *event.Event, depth int, text string, details ...string) {
	s.sayAt(e.Time, e.Node, depth, text, details...)
}

func (s *Story) sayAt(at clock.Time, node string, depth int, text string, details ...string) {
	s.widen(node)
	stamp := ""
	if at != s.lastTime || !s.anything {
		stamp = at.String()
	}
	prefix := padLeft(stamp, stampWidth) + "  " + blanks(2*depth) + pad(s.paint(bold, clean(node)), s.nodeWidth) + "  "
	indent := textWidth(prefix)
	for i, l := range s.lines(text, details, s.o.Width-indent) {
		if i > 0 {
			prefix = blanks(indent)
		}
		s.write(prefix + l)
	}
	s.lastTime, s.lastNode, s.lastDepth, s.anything = at, node, depth, true
}

// aside writes a line more about the node of the line before.
func (s *Story) aside(e *event.Event, depth int, text string, details ...string) {
	if s.lastNode != e.Node || s.lastTime != e.Time || s.lastDepth != depth || !s.anything {
		s.say(e, depth, text, details...)
		return
	}
	prefix := blanks(stampWidth + 2 + 2*depth + s.nodeWidth + 2)
	for _, l := range s.lines(text, details, s.o.Width-len(prefix)) {
		s.write(prefix + l)
	}
}

// lines puts the details behind the text, or beneath it if there is no room.
func (s *Story) lines(text string, details []string, width int) []string {
	lines := []string{text}
	if textWidth(text) > width {
		lines = wrap(text, width)
	}
	for _, d := range details {
		if d == "" {
			continue
		}
		last := &lines[len(lines)-1]
		if textWidth(*last)+3+textWidth(d) <= width {
			*last += "   " + s.paint(dim, d)
			continue
		}
		for _, l := range wrap(d, width-4) {
			lines = append(lines, "    "+s.paint(dim, l))
		}
	}
	return lines
}

func (s *Story) write(line string) {
	if s.err == nil {
		_, s.err = io.WriteString(s.w, strings.TrimRight(line, " ")+"\n")
	}
}

func (s *Story) paint(colour, text string) string { return paint(s.o.Color, colour, text) }

const green = "32"
