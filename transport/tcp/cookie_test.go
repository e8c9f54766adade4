package tcp

import (
	"net/netip"
	"testing"
	"time"

	"hubbub/wire"
)

func cookieKey() CookieKey {
	return CookieKey{
		Secret: Secret{1, 2, 3},
		Local:  netip.MustParseAddrPort("172.16.10.11:80"), Remote: netip.MustParseAddrPort("172.16.10.10:1234"),
	}
}

// flooded is a listener whose SYN queue is full.
func flooded(t *testing.T, adjust ...func(*Config)) (*end, *Listener) {
	e := newEnd(t, append([]func(*Config){sacked, func(c *Config) {
		c.WindowScaling, c.Timestamps, c.SynBacklog = true, true, 0
	}}, adjust...)...)
	e.tsOn = false
	return e, NewListener(e.env, 10)
}

// byCookie lets a peer with these options open a connection by a cookie. The
// ACK is changed by change.
func byCookie(e *end, l *Listener, o wire.TCPOptions, p Params, change func(seg *Segment)) (Segment, bool) {
	e.t.Helper()
	k := cookieKey()
	s := Segment{Seq: testIRS, Flags: syn, Window: 5000, Options: o}
	if got := l.HandleSYN(&s); got != SendCookie {
		e.t.Fatalf("a SYN is %v", got)
	}
	reply := l.CookieReply(e.now, &k, p, &s)
	back := Segment{Seq: testIRS.Add(1), Ack: reply.Seq.Add(1), Flags: ack, Window: 4000}
	if reply.Options.Timestamps {
		back.Options = wire.TCPOptions{Timestamps: true, TSVal: o.TSVal + 5, TSEcr: reply.Options.TSVal}
	}
	if change != nil {
		change(&back)
	}
	if !l.MayHaveCookie(e.now, &back) {
		return reply, false
	}
	c, ok := FromCookie(e.env, e.now, &k, p, &back)
	if ok {
		e.c = c
		c.HandleSegment(e.now, &back)
		e.drain()
	}
	return reply, ok
}

// RFC 4987, 3.6: "The only way to use SYN cookies and TCP options ... is to
// encode them": a connection from a cookie has the window scale, SACK and
// timestamps that one which was remembered has, and an MSS that is not above
// the peer's. (R4987-1)
func TestACookieKeepsWhatWasOffered(t *testing.T) {
	for bits := range 16 {
		for _, mss := range []uint16{0, 1, 536, 1000, 1380, 1460, 8960, 65535} {
			o := wire.TCPOptions{MSS: mss, SACKPermitted: bits&1 != 0, HasWindowScale: bits&2 != 0, Timestamps: bits&4 != 0}
			if o.HasWindowScale {
				o.WindowScale = 14 * uint8(bits>>3)
			}
			if o.Timestamps {
				o.TSVal = 777
			}
			p := testParams()
			p.TSOffset = 0xffff_fff0
			e, l := flooded(t)
			reply, ok := byCookie(e, l, o, p, nil)
			if !ok {
				t.Fatalf("%+v: the cookie isn't known", o)
			}
			e.want().state(StateEstablished)
			got := e.c.Info()
			plain, _ := flooded(t)
			s := Segment{Seq: testIRS, Flags: syn, Window: 5000, Options: o}
			if !o.Timestamps {
				s.Options = wire.TCPOptions{MSS: mss} // nowhere to keep the others
			}
			want := Accept(plain.env, e.now, p, &s).Info()
			if got.WindowScaling != want.WindowScaling || got.SendScale != want.SendScale || got.ReceiveScale != want.ReceiveScale ||
				got.Timestamps != want.Timestamps || e.c.sackOK != (o.SACKPermitted && o.Timestamps) {
				t.Errorf("%+v: agreed on %+v, want %+v", o, got, want)
			}
			if reply.Options.HasWindowScale != want.WindowScaling || reply.Options.SACKPermitted != e.c.sackOK || reply.Options.Timestamps != o.Timestamps {
				t.Errorf("%+v is answered by the options %+v, more or less than the connection has", o, reply.Options)
			}
			if reply.Reason != ReasonCookie || reply.Flags != syn|ack || reply.Ack != testIRS.Add(1) || e.c.snd.iss != reply.Seq {
				t.Errorf("%+v is answered by %+v", o, reply)
			}
			told := int(mss)
			if mss == 0 {
				told = defaultMSS
			}
			if m := e.c.PeerMSS(); m > max(told, 48) || m < min(told/2, 8960) {
				t.Errorf("%+v: the peer's MSS is %d", o, m)
			}
		}
	}
}

func TestTheMSSClasses(t *testing.T) {
	k := cookieKey()
	for mss, want := range map[int]uint16{
		1: 48, 535: 48, 536: 536, 1219: 536, 1220: 1220, 1359: 1220, 1360: 1360, 1400: 1400, 1440: 1440, 1459: 1440,
		1460: 1460, 8959: 1460, 8960: 8960, 65535: 8960,
	} {
		if got, ok := k.open(began, testIRS, k.cookie(began, testIRS, mss)); got != want || !ok {
			t.Errorf("an MSS of %d comes back as %d, want %d", mss, got, want)
		}
	}
}

// "cookie state never trusts ACKs without a valid cookie" (R4987-2; RFC 4987,
// 3.6): not another number, not from elsewhere, not of another host, not after
// two minutes.
func TestOnlyTheRightCookieOpens(t *testing.T) {
	k := cookieKey()
	cookie := k.cookie(began, testIRS, 1460)
	for bit := range 32 {
		if mss, ok := k.open(began, testIRS, cookie^1<<bit); ok || mss != 0 {
			t.Errorf("with bit %d changed it is taken, for an MSS of %d", bit, mss)
		}
		// One who has got a cookie for one number has none for others.
		if _, ok := k.open(began, testIRS.Add(1<<bit), cookie.Add(1<<bit)); ok {
			t.Errorf("moved by 2^%d, with the peer's number, it is taken", bit)
		}
		if _, ok := k.open(began, testIRS^1<<bit, cookie); ok {
			t.Errorf("with bit %d of the peer's number changed it is taken", bit)
		}
	}
	for name, change := range map[string]func(k *CookieKey){
		"another secret":  func(k *CookieKey) { k.Secret[15]++ },
		"another port":    func(k *CookieKey) { k.Remote = netip.AddrPortFrom(k.Remote.Addr(), 1235) },
		"another address": func(k *CookieKey) { k.Remote = netip.AddrPortFrom(k.Remote.Addr().Next(), 1234) },
		"another service": func(k *CookieKey) { k.Local = netip.AddrPortFrom(k.Local.Addr(), 81) },
	} {
		other := k
		change(&other)
		if _, ok := other.open(began, testIRS, cookie); ok {
			t.Errorf("%s: it is taken", name)
		}
	}
}

// RFC 4987, 3.6: of the 2^32 numbers that a peer can guess sixteen are right at a
// time: one for each of eight sizes, in this period and the last.
func TestGuessedCookiesDoNotOpen(t *testing.T) {
	k := cookieKey()
	found := 0
	for guess := range Seq(1 << 18) {
		if _, ok := k.open(began, testIRS, guess<<14|guess); ok {
			found++
		}
	}
	if found > 2 {
		t.Errorf("of 262144 guesses %d are right", found)
	}
}

func TestACookieAges(t *testing.T) {
	k := cookieKey()
	for n := range 40 { // over the end of the five bits
		start := began.Add(time.Duration(n) * cookiePeriod)
		cookie := k.cookie(start, testIRS, 1460)
		period := (start / 64e9) * 64e9
		for _, c := range []struct {
			after time.Duration
			ok    bool
		}{{0, true}, {127 * time.Second, true}, {128 * time.Second, false}, {31 * cookiePeriod, false}, {32 * cookiePeriod, false}} {
			if mss, ok := k.open(period.Add(c.after), testIRS, cookie); ok != c.ok || (mss != 0) != ok {
				t.Errorf("in period %d, %v later: taken is %v, the MSS %d", n, c.after, ok, mss)
			}
		}
		if n > 0 {
			if _, ok := k.open(period.Add(-1), testIRS, cookie); ok {
				t.Error("a cookie from the future is taken")
			}
		}
	}
}

// A later connection between the same ports begins later in the number space,
// as its SYN does.
func TestCookiesFollowThePeersNumbers(t *testing.T) {
	k := cookieKey()
	a, b := k.mask(testIRS), k.mask(testIRS.Add(100_000))
	if b-a != 100_000 {
		t.Errorf("100000 later the cookie is %d later", b-a)
	}
}

func TestACKsAreNotLookedAtUnlessCookiesWereSentLately(t *testing.T) {
	e, l := flooded(t)
	seg := Segment{Flags: ack}
	if l.MayHaveCookie(e.now, &seg) {
		t.Error("before any cookie was sent")
	}
	byCookie(e, l, wire.TCPOptions{MSS: 1460}, testParams(), nil)
	if !l.MayHaveCookie(e.now.Add(127*time.Second), &seg) || l.MayHaveCookie(e.now.Add(128*time.Second), &seg) {
		t.Error("cookies count for two periods after the last")
	}
	// A world may begin under attack.
	l.CookieReply(0, new(CookieKey), testParams(), &Segment{Flags: syn})
	if !l.MayHaveCookie(128e9, &seg) || l.MayHaveCookie(128e9+1, &seg) {
		t.Error("a cookie of the world's first instant counts for 128 s")
	}
	byCookie(e, l, wire.TCPOptions{MSS: 1460}, testParams(), nil)
	for _, flags := range []wire.TCPFlags{syn | ack, rst | ack, syn, fin, 0} {
		if l.MayHaveCookie(e.now, &Segment{Flags: flags}) {
			t.Errorf("%v has none", flags)
		}
	}
	e.env.SynCookies = 0
	if l.MayHaveCookie(e.now, &seg) {
		t.Error("cookies are off")
	}
}

// What the echoed timestamp says is no time: the round trip isn't measured by
// it. The timestamps that follow are later than the one with the cookie.
func TestTheTimestampOfACookie(t *testing.T) {
	for _, scale := range []uint8{0, 7, 14} {
		for d := range time.Duration(200) {
			e, l := flooded(t)
			e.now = e.now.Add(d * time.Millisecond)
			o := wire.TCPOptions{MSS: 1460, Timestamps: true, TSVal: 9, HasWindowScale: true, WindowScale: scale, SACKPermitted: true}
			p := testParams()
			p.TSOffset = 12345
			reply, ok := byCookie(e, l, o, p, nil)
			if !ok {
				t.Fatal("the cookie isn't known")
			}
			if age := int32(e.c.ts.now(e.now) - reply.Options.TSVal); age < 0 || age > 63 {
				t.Fatalf("the timestamp is %d ms old", age)
			}
			if rtt := e.c.Info().SRTT; rtt != 0 {
				t.Fatalf("the round trip was measured as %v", rtt)
			}
			if e.c.ts.recent != 14 || int(e.c.snd.shift) != int(scale) {
				t.Fatalf("TS.Recent is %d, the scale %d", e.c.ts.recent, e.c.snd.shift)
			}
		}
	}
}

// Data may come with the ACK, and a window that the scale applies to.
func TestDataWithTheCookie(t *testing.T) {
	e, l := flooded(t)
	o := wire.TCPOptions{MSS: 1460, Timestamps: true, TSVal: 9, HasWindowScale: true, WindowScale: 3, SACKPermitted: true}
	_, ok := byCookie(e, l, o, testParams(), func(seg *Segment) {
		seg.Payload, seg.Flags = view(octets(1, 100)), ack|psh|fin
	})
	if !ok || e.c.snd.wnd != 4000<<3 {
		t.Fatalf("%v, the window is %d", ok, e.c.snd.wnd)
	}
	e.want().state(StateCloseWait)
	e.reads(100)
	e.sent = nil
}

func TestNoStateIsKeptForACookie(t *testing.T) {
	e, l := flooded(t)
	k, p := cookieKey(), testParams()
	s := Segment{Seq: testIRS, Flags: syn, Window: 5000, Options: wire.TCPOptions{MSS: 1460, Timestamps: true}}
	e.env.Watch = true
	if n := testing.AllocsPerRun(100, func() {
		l.HandleSYN(&s)
		l.CookieReply(e.now, &k, p, &s)
	}); n > 0 {
		t.Errorf("%v allocations for each cookie", n)
	}
	if _, more := e.env.PollEvent(); more || l.HalfOpen() != 0 || !e.env.Watch {
		t.Error("something is remembered")
	}
}

// As on Linux, with ECN as with the other options: what the timestamp can't keep is
// not agreed to. "If a host has received an ECN-setup SYN packet, then it MAY send
// an ECN-setup SYN-ACK packet. Otherwise, it MUST NOT" (RFC 3168, 6.1.1).
func TestACookieKeepsECN(t *testing.T) {
	timestamps := wire.TCPOptions{MSS: 1460, Timestamps: true, TSVal: 9, HasWindowScale: true, WindowScale: 2}
	for _, c := range []struct {
		flags   wire.TCPFlags
		options wire.TCPOptions
		host    bool // has timestamps
		agreed  bool
	}{
		{syn | wire.ECE | wire.CWR, timestamps, true, true},
		{syn, timestamps, true, false},
		{syn, wire.TCPOptions{MSS: 1460, Timestamps: true, TSVal: 9, HasWindowScale: true, WindowScale: 3}, true, false},
		{syn | wire.ECE | wire.CWR, wire.TCPOptions{MSS: 1460}, true, false},
		{syn | wire.ECE | wire.CWR, timestamps, false, false},
	} {
		e, l := flooded(t, func(o *Config) { o.Timestamps = c.host })
		k, s := cookieKey(), Segment{Seq: testIRS, Flags: c.flags, Options: c.options}
		reply := l.CookieReply(e.now, &k, testParams(), &s)
		if got := reply.Flags.Has(wire.ECE); got != c.agreed || reply.Flags.Has(wire.CWR) {
			t.Errorf("%+v: the SYN-ACK's flags are %v", c, reply.Flags)
		}
		back := Segment{Seq: testIRS.Add(1), Ack: reply.Seq.Add(1), Flags: ack, Options: c.options}
		back.Options.TSEcr = reply.Options.TSVal
		conn, ok := FromCookie(e.env, e.now, &k, testParams(), &back)
		if !ok || conn.Info().ECN != c.agreed {
			t.Errorf("%+v: ECN is agreed on: %v", c, ok && conn.Info().ECN)
		}
		if i := conn.Info(); i.Timestamps && i.SendScale != c.options.WindowScale {
			t.Errorf("%+v: the scale is %d", c, i.SendScale)
		}
	}
}

// A host without timestamps agrees to nothing that only they could keep.
func TestACookieOfAHostWithoutTimestamps(t *testing.T) {
	e, l := flooded(t, func(c *Config) { c.Timestamps = false })
	all := wire.TCPOptions{MSS: 1460, Timestamps: true, TSVal: 9, SACKPermitted: true, HasWindowScale: true, WindowScale: 7}
	reply, ok := byCookie(e, l, all, testParams(), nil)
	if want := (wire.TCPOptions{MSS: reply.Options.MSS}); !ok || reply.Options != want {
		t.Errorf("%v, the SYN-ACK's options are %+v", ok, reply.Options)
	}
	if i := e.c.Info(); i.WindowScaling || i.Timestamps || i.Recovery.SACK {
		t.Errorf("agreed on %+v", i)
	}
}

// The story of a connection from a cookie begins with its ACK: nothing was known
// of it before (RFC 4987, 3.6).
func TestTheFactsOfACookie(t *testing.T) {
	e, l := flooded(t)
	e.env.Watch = true
	byCookie(e, l, wire.TCPOptions{MSS: 1460}, testParams(), nil)
	e.want().facts(
		"LISTEN -> SYN-RECEIVED: an ACK brings back a SYN cookie",
		"SYN-RECEIVED -> ESTABLISHED: our SYN is acknowledged",
		"cwnd 10000, ssthresh 1073741824, open: the initial window",
	)
}
