package tcp

import (
	"time"

	"hubbub/clock"
	"hubbub/transport/tcp/congestion"
)

// A stamp is what was known of the rate at which data arrives when a segment
// was sent (draft-ietf-ccwg-bbr, 4.1.2.1.2: per-packet state).
type stamp struct {
	prior    uint64     // P.delivered: octets that had arrived
	priorAt  clock.Time // P.delivered_time: when the last of them did
	firstAt  clock.Time // P.first_send_time: when that one was sent
	lost     uint32     // P.lost: octets that had been found lost
	inFlight int32      // P.tx_in_flight: octets in flight, with the segment
	limited  bool       // P.is_app_limited
}

// meter measures the rate at which data arrives, while some is in flight
// (draft-ietf-ccwg-bbr, 4.1.2.1.1: per-connection state).
type meter struct {
	arrivedAt  clock.Time // C.delivered_time: when something last arrived
	firstAt    clock.Time // C.first_send_time: when that was sent
	appLimited uint64     // C.app_limited: up to here the program limited it; 0: it doesn't
	lost       uint32     // C.lost: octets that were found lost
}

// measuring is what one ACK tells about the rate: of the segment sent last of
// those that have arrived.
type measuring struct {
	known  bool
	newest sent
}

// arrived is C.delivered: how many octets of the stream have arrived.
func (c *Conn) arrived() uint64 {
	n := c.count.bytesOut - uint64(c.flight())
	if b := c.loss.board; b != nil && c.sackOK {
		n += uint64(b.sacked.octets)
	}
	return n
}

// stampSent is OnPacketSent (draft-ietf-ccwg-bbr, 4.1.2.2): it notes what is
// known when a segment is sent, with which so much is in flight.
func (c *Conn) stampSent(now clock.Time, r *sent, inFlight int) {
	m := &c.loss.board.meter
	if inFlight <= r.size() {
		m.firstAt, m.arrivedAt = now, now
	}
	r.prior, r.priorAt, r.firstAt = c.arrived(), m.arrivedAt, m.firstAt
	r.lost, r.inFlight, r.limited = m.lost, int32(inFlight), m.appLimited != 0
}

// stampArrived is UpdateRateSample (draft-ietf-ccwg-bbr, 4.1.2.3): "The
// connection uses the information from the most recently sent packet".
func (n *news) stampArrived(r *sent) {
	if m := &n.measuring; !m.known || sentAfter(r.at, r.end, m.newest.at, m.newest.end) {
		m.known, m.newest = true, *r
	}
}

// sentLast returns the record that tells of the rate, nil if there is none.
func (n *news) sentLast() *sent {
	if !n.known {
		return nil
	}
	return &n.newest
}

// measureRate is GenerateRateSample (draft-ietf-ccwg-bbr, 4.1.2.3), for the
// congestion control's sample. The rate is that
// of arrival or that of sending, whichever is lower: "RS.interval =
// max(RS.send_elapsed, RS.ack_elapsed)". One over less than a round trip is
// not reliable: a retransmission was taken for what its original's ACK told.
func (c *Conn) measureRate(now clock.Time, p *sent) {
	r := &c.env.sample.Rate
	*r = congestion.Rate{}
	if c.loss.board == nil {
		return
	}
	m, total := &c.loss.board.meter, c.arrived()
	if m.appLimited != 0 && total > m.appLimited {
		m.appLimited = 0 // the bubble is acknowledged and gone
	}
	if p == nil || total < p.prior {
		return
	}
	m.arrivedAt, m.firstAt = now, p.at
	r.Known, r.AppLimited, r.Prior, r.Delivered = true, p.limited, p.prior, int(total-p.prior)
	r.Lost, r.InFlight = int(m.lost-p.lost), int(p.inFlight)
	r.Interval = max(p.at.Sub(p.firstAt), now.Sub(p.priorAt))
	if r.Interval < c.rtt.least {
		r.Interval = -1
	} else if !r.AppLimited || faster(r, &c.cc) {
		c.cc.rate = rateOf(r)
	}
}

// faster reports whether a sample is of a higher rate than the last.
func faster(r *congestion.Rate, w *window) bool {
	return rateOf(r) >= w.rate
}

// rateOf returns a sample's rate in octets per second.
func rateOf(r *congestion.Rate) float64 {
	return float64(r.Delivered) / max(r.Interval, time.Nanosecond).Seconds()
}

// deliveryRate returns the last rate at which data arrived, in octets per
// second, as far as the network limited it; 0 if nothing was measured.
func (w *window) deliveryRate() uint64 {
	return uint64(w.rate)
}

// markAppLimited is CheckIfApplicationLimited (draft-ietf-ccwg-bbr, 4.1.2.4),
// which is asked when there is nothing more to send: the window has room, and
// nothing lost waits. What is sent until all that is in flight now has arrived
// says little about the network.
func (c *Conn) markAppLimited() {
	if b := c.loss.board; b != nil && b.waiting == 0 {
		if pipe := c.pipe(); pipe < c.cc.Cwnd {
			b.meter.appLimited = max(c.arrived()+uint64(pipe), 1)
		}
	}
}

// tellLost lets a model of the path know of a segment that newly counts as
// lost.
func (c *Conn) tellLost(r *sent) {
	m := &c.loss.board.meter
	m.lost += uint32(r.size())
	model, ok := c.control.(congestion.Model)
	if !ok {
		return
	}
	model.LostSegment(&c.cc.Window, max(m.arrivedAt, c.snd.lastAt), &congestion.LostSegment{
		Size: r.size(), Start: uint32(r.seq), End: uint32(r.end), Total: c.arrived(), Selective: c.sackOK,
		Rate: congestion.Rate{AppLimited: r.limited, Lost: int(m.lost - r.lost), InFlight: int(r.inFlight)},
	})
}
