package sim

import (
	"hubbub/internal/pkt"
	"hubbub/link"
)

// A way is where the last frame that left a port has gone at once: over cables that did nothing to
// it, through switches that knew where it goes. The next one is mostly of the same conversation. It
// takes the same way if it could take each part of it, and nobody watches.
type way struct {
	hops  [longestWay]hop
	count uint8 // of hops; 0: there is no way
	known bool  // up to its end, where the frame arrives
	node  *Node
	port  int
}

// longestWay is how many cables a way leads over at most: more are rare.
const longestWay = 4

// A hop leads over a line and, if it isn't the last, through a switch.
type hop struct {
	line    *link.Line
	sw      *Node
	passage *link.Passage
}

func (v *way) forget() { v.count, v.known = 0, false }

// passes notes a hop to a switch, which has let the frame pass.
func (v *way) passes(l *link.Line, sw *Node, in int) {
	if v.count < longestWay {
		v.hops[v.count] = hop{l, sw, sw.bridge.LastPassage(in)}
	}
	v.count++
}

// ends notes the last hop: to a switch that has to think about the frame there is no way.
func (v *way) ends(l *link.Line, n *Node, port int) {
	if v.count < longestWay && n.bridge == nil {
		v.hops[v.count] = hop{line: l}
		v.known, v.node, v.port = true, n, port
	}
	v.count++
}

// take sends a frame along the way, and reports whether it has.
func (v *way) take(w *World, p *pkt.Packet) bool {
	if !v.known {
		return false
	}
	frames, octets, longest := p.Frames()
	hops := v.hops[:v.count]
	for i := range hops {
		if h := &hops[i]; !h.line.Free(longest) || h.sw != nil && (h.sw.off || !h.passage.Fits(h.sw.bridge, p)) {
			return false
		}
	}
	for i := range hops {
		h := &hops[i]
		h.line.Count(frames, octets)
		if h.sw != nil {
			h.passage.Take(h.sw.bridge, w.now)
			if !w.tolerates(delivery{h.sw, 0, p}) {
				return true
			}
		}
	}
	w.arrived(delivery{v.node, v.port, p})
	return true
}
