package capture

import (
	"fmt"
	"strings"

	"hubbub/wire"
)

// bitColumns is how many octets are printed in a line.
const bitColumns = 8

// printBits prints every octet of the frame as eight bits, field by field.
func (x *explainer) printBits(frame []byte) {
	x.line("")
	x.line("The %d bits of the frame, in groups of eight", 8*len(frame))
	x.text(2, "The octets are in the order in which they are on the cable. Within an octet Ethernet sends the lowest bit, "+
		"the last in its group here, first; numbers are written with the highest first, and so are the groups.")
	at := 0
	for _, f := range x.spans(len(frame)) {
		for first := true; f.n > 0; first = false {
			n := min(f.n, bitColumns)
			if !first {
				f.name = ""
			}
			x.line("  %s  %s  %s", padLeft(fmt.Sprint(at), 4), pad(groups(frame[at:at+n]), 9*bitColumns-1), f.name)
			at, f.n = at+n, f.n-n
		}
	}
	if x.fcs != nil && wire.CheckFCS(frame) {
		x.text(2, "The frame check sequence is a CRC-32, on the cable with its lowest octet first.")
	}
}

// groups writes octets as groups of eight bits.
func groups(b []byte) string {
	text := make([]string, len(b))
	for i, c := range b {
		text[i] = fmt.Sprintf("%08b", c)
	}
	return strings.Join(text, " ")
}

// A span is octets that are printed together, under one name.
type span struct {
	n    int
	name string
}

// spans cuts the frame's octets at the borders of its fields. Fields that share
// octets share a span.
func (x *explainer) spans(length int) []span {
	var all []span
	at, until := 0, 0
	for _, p := range x.parts {
		for _, f := range p.fields {
			switch {
			case p.level == physical || f.from+f.n <= at:
				continue
			case f.from < until && len(all) > 0: // shares octets with the one before
				all[len(all)-1].n += f.from + f.n - until
			case f.from == until:
				all = append(all, span{f.n, f.name})
			default:
				all = append(all, span{f.from - until, "data"}, span{f.n, f.name})
			}
			if f.group != "" {
				all[len(all)-1].name = f.group
			}
			at, until = f.from, f.from+f.n
		}
	}
	if until < length {
		all = append(all, span{length - until, "data"})
	}
	return all
}
