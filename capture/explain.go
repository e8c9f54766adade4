package capture

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"hubbub/wire"
)

// A View is a way of counting layers.
type View int

// The views: the seven layers of the OSI model, the five of most textbooks,
// the four of TCP/IP (RFC 1122, 1.1.3).
const (
	OSI      View = 7
	Textbook View = 5
	TCPIP    View = 4
)

// An FCSMode says whether a frame ends with its frame check sequence.
type FCSMode int

// The modes.
const (
	FCSGuess  FCSMode = iota // it does if the last four octets are right
	FCSAbsent                // it doesn't
	FCSThere                 // it does, right or wrong
)

// ExplainOptions say how [Explain] prints a frame. The zero value is the OSI
// view in 100 columns, with the frame check sequence guessed.
type ExplainOptions struct {
	View    View
	FCS     FCSMode
	Names   map[netip.Addr]string // of hosts
	Bits    bool                  // print every octet as eight bits
	Data    int                   // how many octets of the data to print; 0 for 256, negative for none
	Width   int                   // columns, at least 80; 0 for 100
	ASCII   bool                  // draw with ASCII characters only
	Heading string                // a line above all, such as where the frame was captured
}

// Explain prints a frame layer by layer: the nested dolls that it is made of,
// which layer each part belongs to and which device works there, and every
// field with its place, value and meaning. It takes any bytes, and says where
// they stop making sense. The error is w's.
func Explain(w io.Writer, frame []byte, o ExplainOptions) error {
	x := newExplainer(frame, o)
	x.readEthernet()
	x.print()
	_, err := io.WriteString(w, x.out.String())
	return err
}

// A level is a layer that there is in every view.
type level int

const (
	physical level = iota
	dataLink
	network
	transport
	application
)

// A part is a header, a trailer or data: consecutive octets of one layer.
type part struct {
	level   level
	title   string
	from, n int
	fields  []field
	problem string // why nothing follows
}

// A field is a line about a header's field.
type field struct {
	from, n int // octets
	name    string
	group   string // what it is called together with those that share its octets
	value   string
	meaning string
}

type explainer struct {
	o     ExplainOptions
	frame []byte // without the frame check sequence
	fcs   []byte
	parts []part
	dolls []doll
	data  []byte // of the innermost header
	dataN int    // where it begins
	end   int    // of what is not padding
	out   strings.Builder

	src, dst netip.Addr // of the IPv4 header, for the pseudo header
}

func newExplainer(frame []byte, o ExplainOptions) *explainer {
	if o.View != Textbook && o.View != TCPIP {
		o.View = OSI
	}
	if o.Width == 0 {
		o.Width = 100
	}
	o.Width = max(o.Width, 80)
	if o.Data == 0 {
		o.Data = 256
	}
	x := &explainer{o: o, frame: frame}
	there := len(frame) >= wire.FCSLen &&
		(o.FCS == FCSThere || o.FCS == FCSGuess && len(frame) >= wire.EthernetHeaderLen+wire.FCSLen && wire.CheckFCS(frame))
	if there {
		n := len(frame) - wire.FCSLen
		x.frame, x.fcs = frame[:n], frame[n:]
	}
	x.end = len(x.frame)
	return x
}

// begin starts the next part.
func (x *explainer) begin(l level, title string, from, n int) {
	x.parts = append(x.parts, part{level: l, title: title, from: from, n: n})
}

// field adds a field to the part that was begun last.
func (x *explainer) field(from, n int, name, value, meaning string) {
	p := &x.parts[len(x.parts)-1]
	p.fields = append(p.fields, field{from: from, n: n, name: name, value: value, meaning: meaning})
}

// group names the field that was added last together with those that follow
// and share its octets.
func (x *explainer) group(name string) {
	p := &x.parts[len(x.parts)-1]
	p.fields[len(p.fields)-1].group = name
}

// stop says why nothing further can be explained.
func (x *explainer) stop(format string, args ...any) {
	x.parts[len(x.parts)-1].problem = fmt.Sprintf(format, args...)
}

// short stops where bytes are missing. It reports whether they are.
func (x *explainer) short(b []byte, n int, what string) bool {
	if len(b) >= n {
		return false
	}
	x.stop("Here the bytes end: %s has at least %d octets, and there are only %d.", what, n, len(b))
	return true
}

// number writes a value in both notations, as wide as its field.
func number(v uint64, octets int) string { return fmt.Sprintf("%d (0x%0*x)", v, 2*octets, v) }

// bitsOf writes an octet's or word's bits, and dots for those beside the
// mask.
func bitsOf(v, mask uint16, width int) string {
	b := make([]byte, 0, width+width/4)
	for i := width - 1; i >= 0; i-- {
		switch {
		case mask>>i&1 == 0:
			b = append(b, '.')
		case v>>i&1 != 0:
			b = append(b, '1')
		default:
			b = append(b, '0')
		}
		if i%4 == 0 && i != 0 {
			b = append(b, ' ')
		}
	}
	return string(b)
}

// print writes everything.
func (x *explainer) print() {
	whole := append(append([]byte(nil), x.frame...), x.fcs...)
	if x.o.Heading != "" {
		x.line("%s", clean(x.o.Heading))
	}
	p := Decode(x.frame)
	x.line("%s", p.Summary())
	x.line("")
	x.printDolls()
	x.line("")
	x.printLayers()
	for i := range x.parts {
		x.printPart(&x.parts[i])
	}
	if x.o.Bits {
		x.printBits(whole)
	}
}

func (x *explainer) line(format string, args ...any) {
	x.out.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	x.out.WriteByte('\n')
}

// text writes a paragraph.
func (x *explainer) text(indent int, s string) {
	for _, l := range wrap(s, x.o.Width-indent) {
		x.line("%s%s", blanks(indent), l)
	}
}

// octets writes a range of octets.
func octets(from, n int) string {
	switch n {
	case 0:
		return "-"
	case 1:
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d-%d", from, from+n-1)
}

const (
	columnOctets = 11
	columnName   = 21
	columnValue  = 18
)

func (x *explainer) printPart(p *part) {
	x.line("")
	head := fmt.Sprintf("Layer %s: %s", x.o.View.name(p.level), p.title)
	if p.n > 0 {
		head += fmt.Sprintf(", %s (%s)", counted(p.n, "octet"), octets(p.from, p.n))
	}
	x.line("%s", head)
	for _, f := range p.fields {
		x.printField(&f)
	}
	if p.title == "data" && x.o.Data > 0 {
		x.printData()
	}
	if p.problem != "" {
		x.text(2, p.problem)
	}
}

func (x *explainer) printField(f *field) {
	left := pad("  "+octets(f.from, f.n), columnOctets) + " " + pad(f.name, columnName) + " "
	value := pad(f.value, columnValue)
	indent := textWidth(left) + columnValue + 1
	if textWidth(f.value) > columnValue {
		x.line("%s%s", left, f.value)
		if f.meaning == "" {
			return
		}
		left, value = "", blanks(indent-1)
	}
	for _, l := range wrap(f.meaning, x.o.Width-indent) {
		x.line("%s%s %s", left, value, l)
		left, value = "", blanks(indent-1)
	}
}

// printData shows the data as text, or else as a dump.
func (x *explainer) printData() {
	b := x.data[:min(len(x.data), x.o.Data)]
	for at := 0; at < len(b); at += 16 {
		row := b[at:min(at+16, len(b))]
		hex, text := "", ""
		for i, c := range row {
			if i == 8 {
				hex += " "
			}
			hex += fmt.Sprintf(" %02x", c)
			if c < 0x20 || c > 0x7e {
				c = '.'
			}
			text += string(rune(c))
		}
		x.line("  %s %s  %s", padLeft(fmt.Sprint(x.dataN+at), 5), pad(hex, 49), text)
	}
	if len(b) < len(x.data) {
		x.line("        ... and %s more", counted(len(x.data)-len(b), "octet"))
	}
}
