package tcp

import (
	"encoding/binary"
	"net/netip"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// A SYN cookie is an initial sequence number that tells, when its
// acknowledgment comes, what would otherwise have had to be kept since the SYN
// (RFC 4987, 3.6). Under masks that only this host knows it is, from its
// highest bit on:
//
//	t (5 bits)    counts periods of 64 s, modulo 32
//	mss (3 bits)  which of cookieMSS the peer's MSS is at least
//	mac (24 bits) a keyed hash of both addresses and ports, the peer's number, t, mss
//
// What else the SYN offered is in the SYN-ACK's timestamp, which the peer
// echoes: its lowest six bits are the window scale (15 for none), then a bit
// each for SACK and ECN, as in Linux. Without timestamps a connection from a
// cookie has none of that.

const (
	cookiePeriod = 64 * time.Second
	// cookieAge is for how many periods a cookie counts: the one that it was
	// made in, and the next.
	cookieAge = 2

	cookieMACBits   = 24
	cookieMSSBits   = 3
	cookieCountBits = 5
)

// cookieMSS are the sizes that a cookie can tell. The peer gets no larger
// segments than it asked for: the greatest that is not above its MSS counts.
// They are what there is most: Ethernet, with PPPoE, tunnels and IPv6, the
// defaults of both families, jumbo frames, and what is absurdly small.
var cookieMSS = [1 << cookieMSSBits]uint16{48, 536, 1220, 1360, 1400, 1440, 1460, 8960}

// The lowest bits of the timestamp in a SYN-ACK with a cookie.
const (
	cookieScaleMask = 0xf // also the scale that means: none
	cookieSACK      = 1 << 4
	cookieECN       = 1 << 5
	cookieTSBits    = 6
)

// A CookieKey is what cookies depend on: the host's secret and the two ends.
type CookieKey struct {
	Secret        Secret
	Local, Remote netip.AddrPort
}

// mask covers the whole cookie. It depends on the ends alone; the peer's
// number, which grows with time, is added, so that a later connection between
// the same ports begins later in the number space.
func (k *CookieKey) mask(irs Seq) uint32 {
	return k.hash(^uint32(0), 0) + uint32(irs)
}

// mac is what nobody else can compute. The content has the whole count, of which
// the cookie has the lowest bits.
func (k *CookieKey) mac(irs Seq, content uint32) uint32 {
	return k.hash(content, irs) & (1<<cookieMACBits - 1)
}

func (k *CookieKey) hash(content uint32, irs Seq) uint32 {
	var in [16]byte
	binary.BigEndian.PutUint64(in[:], uint64(HashOf(k.Secret, k.Local, k.Remote)))
	binary.BigEndian.PutUint32(in[8:], content)
	binary.BigEndian.PutUint32(in[12:], uint32(irs))
	return uint32(sipHash(k.Secret, in[:]))
}

// cookie returns the ISS of a SYN-ACK to a peer with that MSS.
func (k *CookieKey) cookie(now clock.Time, irs Seq, mss int) Seq {
	class := uint32(0)
	for i, size := range cookieMSS {
		if int(size) <= mss {
			class = uint32(i)
		}
	}
	count := cookieCount(now)
	content := count<<cookieMSSBits | class
	return Seq(content<<cookieMACBits | k.mac(irs, content)).Add(int(k.mask(irs)))
}

func cookieCount(now clock.Time) uint32 { return uint32(now / clock.Time(cookiePeriod)) }

// open returns the MSS that a cookie tells, and false if it is none of this
// host's, or too old.
func (k *CookieKey) open(now clock.Time, irs, cookie Seq) (mss uint16, ok bool) {
	v := uint32(cookie) - k.mask(irs)
	content := v >> cookieMACBits
	count := cookieCount(now)
	age := (count - content>>cookieMSSBits) & (1<<cookieCountBits - 1)
	if age >= cookieAge || age > count {
		return 0, false
	}
	count -= age
	class := content & (1<<cookieMSSBits - 1)
	if v&(1<<cookieMACBits-1) != k.mac(irs, count<<cookieMSSBits|class) {
		return 0, false
	}
	return cookieMSS[class], true
}

// CookieReply returns the SYN-ACK that answers a SYN with a cookie: all that
// there is of the connection until its acknowledgment comes back to
// [FromCookie]. The ISS of p doesn't count. The segment's payload stays the
// caller's.
//
// What only the timestamp can carry is not agreed to if the peer has none.
func (l *Listener) CookieReply(now clock.Time, k *CookieKey, p Params, seg *Segment) Segment {
	l.flooded = max(now, 1)
	r := NewRequest(now, &p, seg)
	if !seg.Options.Timestamps || !l.env.Timestamps {
		r.offers = 0
		r.flags = syn
	}
	watch := l.env.Watch
	l.env.Watch = false // nothing happens that would be remembered
	defer func() { l.env.Watch = watch }()
	c := r.open(l.env, p)
	defer func() { l.env.idle = c }()
	c.snd.iss = k.cookie(now, r.irs, int(c.snd.peerMSS))
	c.synDue = true
	var out Segment
	c.handshakeSegment(now, &out)
	out.Reason = ReasonCookie
	if c.stamped {
		out.Options.TSVal = c.cookieTimestamp(now, out.Flags.Has(wire.ECE))
	}
	return out
}

// cookieTimestamp is the connection's timestamp clock, turned back as little
// as need be for its lowest bits to say what was agreed on: later timestamps
// are later.
func (c *Conn) cookieTimestamp(now clock.Time, ecn bool) uint32 {
	content := uint32(cookieScaleMask)
	if c.scaling {
		content = uint32(c.snd.shift)
	}
	if c.sackOK {
		content |= cookieSACK
	}
	if ecn {
		content |= cookieECN
	}
	t := c.ts.now(now) - c.ts.offset
	v := t>>cookieTSBits<<cookieTSBits | content
	if v > t {
		v -= 1 << cookieTSBits
	}
	return v + c.ts.offset
}

// cookieOffers reads an echoed timestamp: what both ends have agreed on.
func (r *Request) cookieOffers(echo uint32) {
	r.offers = offersTimestamps
	if echo&cookieSACK != 0 {
		r.offers |= offersSACK
	}
	if scale := echo & cookieScaleMask; scale != cookieScaleMask {
		r.offers |= offersScale
		r.scale = uint8(scale)
	}
	if echo&cookieECN != 0 {
		r.flags |= wire.ECE | wire.CWR
	}
}

// MayHaveCookie reports whether a segment that came to the listener, and is
// for no connection, may acknowledge a cookie. If none was sent lately, there is
// nothing to look at.
func (l *Listener) MayHaveCookie(now clock.Time, seg *Segment) bool {
	return seg.Flags&(syn|ack|rst) == ack && l.env.SynCookies > 0 &&
		l.flooded != clock.Never && now.Sub(l.flooded) < cookieAge*cookiePeriod
}

// FromCookie returns the connection in SYN-RECEIVED that seg, which
// acknowledges a cookie, stands for, and false if that is none. The connection
// then handles the segment as any other.
func FromCookie(env *Env, now clock.Time, k *CookieKey, p Params, seg *Segment) (*Conn, bool) {
	irs, cookie := seg.Seq.Add(-1), seg.Ack.Add(-1)
	mss, ok := k.open(now, irs, cookie)
	if !ok {
		return nil, false
	}
	r := Request{began: now, iss: cookie, irs: irs, mss: mss, window: seg.Window, flags: syn, tsVal: seg.Options.TSVal}
	if seg.Options.Timestamps && env.Timestamps {
		r.cookieOffers(seg.Options.TSEcr - p.TSOffset)
		seg.Options.TSEcr = 0 // it tells what was agreed on, and no time
	}
	p.ISS = cookie
	env.note(Event{Kind: EventState, From: StateListen, To: StateSynReceived, Why: "an ACK brings back a SYN cookie"})
	return r.open(env, p), true
}
