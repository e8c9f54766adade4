package capture

import (
	"fmt"
	"strings"
)

// A row is a layer of a view.
type row struct {
	number int
	name   string
	level  level
	has    bool // whether a level of this program's is it
	why    string
	device string
}

const hostsOnly = "host"

// The layers of each view, from the highest to the lowest.
var views = map[View][]row{
	OSI: {
		{7, "application", application, true, "", hostsOnly},
		{6, "presentation", 0, false, "nothing of its own: with TCP/IP how data is written is the programs' affair", hostsOnly},
		{5, "session", 0, false, "nothing of its own: with TCP/IP programs and sockets keep sessions", hostsOnly},
		{4, "transport", transport, true, "", hostsOnly},
		{3, "network", network, true, "", "router, gateway"},
		{2, "data link", dataLink, true, "", "switch, bridge, card"},
		{1, "physical", physical, true, "", "hub, repeater, cable"},
	},
	Textbook: {
		{5, "application", application, true, "", hostsOnly},
		{4, "transport", transport, true, "", hostsOnly},
		{3, "network", network, true, "", "router, gateway"},
		{2, "data link", dataLink, true, "", "switch, bridge, card"},
		{1, "physical", physical, true, "", "hub, repeater, cable"},
	},
	TCPIP: {
		{4, "application", application, true, "", hostsOnly},
		{3, "transport", transport, true, "", hostsOnly},
		{2, "internet", network, true, "", "router, gateway"},
		{1, "link", dataLink, true, "", "switch, hub, card, cable"},
	},
}

var viewTitles = map[View]string{
	OSI:      "The seven layers of the OSI model",
	Textbook: "The five layers of the textbooks",
	TCPIP:    "The four layers of TCP/IP",
}

// name returns a level's number and name in the view.
func (v View) name(l level) string {
	if v == TCPIP && l == physical {
		l = dataLink
	}
	for _, r := range views[v] {
		if r.has && r.level == l {
			return fmt.Sprintf("%d, %s", r.number, r.name)
		}
	}
	return ""
}

// printLayers prints which layer each part of the frame belongs to.
func (x *explainer) printLayers() {
	x.line("%s, and what of this frame belongs to each", viewTitles[x.o.View])
	x.line("")
	const columns = "  %-15s %s %s %s"
	at := 0
	for _, r := range views[x.o.View] {
		places, _ := x.inLayer(&r)
		at = max(at, len(places))
	}
	wide := x.o.Width - 44 - at
	x.line(columns, "layer", pad("octets", at), pad("in this frame", wide), "who works there")
	for _, r := range views[x.o.View] {
		places, what := x.inLayer(&r)
		lines := wrap(what, wide)
		for i, l := range lines {
			name, device := "", ""
			if i == 0 {
				name, device = fmt.Sprintf("%d %s", r.number, r.name), r.device
			} else {
				places = ""
			}
			x.line(columns, name, pad(places, at), pad(l, wide), device)
		}
	}
}

// inLayer returns what of the frame belongs to a layer, and where that is.
func (x *explainer) inLayer(r *row) (places, what string) {
	if !r.has {
		return "-", r.why
	}
	n := len(x.frame) + len(x.fcs)
	bits := fmt.Sprintf("all of it: %d bits", 8*n)
	if r.level == physical {
		return octets(0, n), bits
	}
	var at, titles []string
	for _, p := range x.parts {
		if p.level == r.level && p.n > 0 {
			at = append(at, octets(p.from, p.n))
			titles = append(titles, p.title)
		}
	}
	if x.o.View == TCPIP && r.level == dataLink {
		titles = append(titles, "and "+bits)
	}
	if titles == nil {
		return "-", "nothing: this frame goes no higher"
	}
	return strings.Join(at, ", "), strings.Join(titles, "; ")
}
