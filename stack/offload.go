package stack

import (
	"hubbub/clock"
	"hubbub/internal/pkt"
)

// cut sends a large packet as the frames that it stands for.
func (s *Stack) cut(i *Interface, p *pkt.Packet) {
	for part := range p.Parts() {
		s.out.push(i.Index, part)
	}
}

// A joint is a packet that grows by those which arrive behind it in the same
// instant.
type joint struct {
	packet *pkt.Packet
	port   int
}

func (j *joint) clear() {
	if j.packet != nil {
		j.packet.Release()
	}
	*j = joint{}
}

// joins keeps a frame back, to handle it with those that continue it (generic
// receive offload), and reports whether it did. It is for machines that don't
// look at frames and aren't looked at.
func (s *Stack) joins(now clock.Time, port int, p *pkt.Packet) bool {
	j := &s.joined
	if j.packet != nil {
		if j.port == port && j.packet.Join(p) {
			return true
		}
		s.handleJoined(now)
	}
	if s.cfg.TCP.Offload == 0 || s.stream.On() || !s.TakesLarge() || !p.Joinable() {
		return false
	}
	*j = joint{p, port}
	return true
}

// handleJoined handles what was kept back.
func (s *Stack) handleJoined(now clock.Time) {
	j := s.joined
	s.joined = joint{}
	if j.packet.Large() {
		j.packet.EndJoin()
	}
	s.handleFrame(now, j.port, j.packet)
}
