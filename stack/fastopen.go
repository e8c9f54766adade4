package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"

	"hubbub/clock"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// The bits of net.ipv4.tcp_fastopen.
const (
	fastOpenClient         = 0x1   // programs may send text in a SYN
	fastOpenServer         = 0x2   // listeners that want may take it
	fastOpenClientNoCookie = 0x4   // without having a cookie
	fastOpenServerNoCookie = 0x200 // without being shown one
	fastOpenAllListeners   = 0x400 // all listeners want
)

// knownServers bounds how many servers' cookies are remembered; the one that was
// learned first gives way.
const knownServers = 1024

// fastOpens is what a machine knows for fast open: as a server the keys of its
// cookies, as a client what servers have given (RFC 7413, 4.1.2 and 4.1.3).
type fastOpens struct {
	keys    []tcp.Secret // the first makes cookies, all are accepted
	servers map[netip.Addr]*fastServer
	order   []netip.Addr // of servers, as they were learned
}

// fastServer is what is known of a server.
type fastServer struct {
	cookie wire.FastOpenCookie
	mss    int
	form   int        // of the option, to ask with: 0 that of RFC 7413, 1 the older one, 2 neither is known
	losses int        // SYNs with text in succession that were lost
	lostAt clock.Time // the last of them
}

// fastOpenKey derives the key of cookies from the machine's secret.
func fastOpenKey(s *secret) tcp.Secret {
	sum := sha256.Sum256(append([]byte("fast open"), s.key[:]...))
	return tcp.Secret(sum[:])
}

// recognizes reports whether a cookie is one that a machine with these keys has
// given to the client, and with which of them. Nobody else can make it, and
// nothing is kept (RFC 7413, 4.1.2).
func recognizes(keys []tcp.Secret, c wire.FastOpenCookie, local, client netip.Addr) (key int, ok bool) {
	for i, k := range keys {
		own := tcp.NewFastOpenCookie(k, local, client)
		own.Experimental = c.Experimental
		if own == c {
			return i, true
		}
	}
	return 0, false
}

// learn remembers what a server has told.
func (f *fastOpens) learn(server netip.Addr) *fastServer {
	if k := f.servers[server]; k != nil {
		return k
	}
	if len(f.order) >= knownServers {
		delete(f.servers, f.order[0])
		f.order = append(f.order[:0], f.order[1:]...)
	}
	if f.servers == nil {
		f.servers = make(map[netip.Addr]*fastServer)
	}
	k := new(fastServer)
	f.servers[server] = k
	f.order = append(f.order, server)
	return k
}

// forget drops what servers have told.
func (f *fastOpens) forget() { f.servers, f.order = nil, nil }

// pausing reports whether SYNs with text are not to be sent for now: two in
// succession were lost, and who knows why (RFC 7413, 7.2.2). As on Linux, that
// lasts a minute at first, and twice as long after each more.
func (k *fastServer) pausing(now clock.Time) bool {
	return k.losses > 1 && now.Sub(k.lostAt) < minute<<min(k.losses, 16)
}

const minute = clock.Duration(60e9)

// ConnectEarly is Connect with TCP Fast Open (RFC 7413): if a cookie is known,
// the SYN carries as much of text as it has room for; else it asks for one. It
// returns how much of text that was.
func (e *TCP) ConnectEarly(now clock.Time, remote netip.AddrPort, text []byte) (int, error) {
	p, err := e.prepare(now, remote)
	if err != nil {
		return 0, err
	}
	p.FastOpen = e.stack.openingEarly(now, e, e.remote.Addr(), false)
	return e.launch(now, p, text), nil
}

// ConnectDeferred is ConnectEarly where the SYN waits for what is written first,
// if a cookie is known.
func (e *TCP) ConnectDeferred(now clock.Time, remote netip.AddrPort) error {
	p, err := e.prepare(now, remote)
	if err == nil {
		p.FastOpen = e.stack.openingEarly(now, e, e.remote.Addr(), true)
		e.launch(now, p, nil)
	}
	return err
}

// openingEarly says what an active open has to do with fast open, nil for
// nothing.
func (s *Stack) openingEarly(now clock.Time, e *TCP, server netip.Addr, deferrable bool) *tcp.FastOpen {
	o := &e.settings.Options
	if s.cfg.FastOpen&fastOpenClient == 0 {
		return nil
	}
	f := &tcp.FastOpen{NoCookie: o.FastOpenNoCookie || s.cfg.FastOpen&fastOpenClientNoCookie != 0}
	if k := s.fast.servers[server]; k != nil {
		if k.pausing(now) {
			return nil
		}
		f.Cookie, f.Room = k.cookie, k.mss
		if f.Cookie.IsRequest() {
			f.Cookie.Experimental = k.form == 1
		}
	}
	f.Deferred = deferrable && (f.NoCookie || !f.Cookie.IsRequest())
	return f
}

// openedEarly notes what an active open has brought: a cookie, the server's MSS,
// or a loss. A server that gives none is asked once in the option's older form,
// as by Linux.
func (s *Stack) openedEarly(now clock.Time, e *TCP) {
	if !e.conn.TriesFastOpen() || e.conn.State() != tcp.StateEstablished {
		return // nobody has answered, or not to this SYN
	}
	r, k := e.conn.FastOpened(), s.fast.learn(e.remote.Addr())
	if mss := e.conn.Info().PeerMSS; mss > 0 {
		k.mss = mss
	}
	switch {
	case !r.Given.IsRequest():
		k.cookie = r.Given
	case r.Ignored && k.cookie.IsRequest():
		k.form = min(k.form+1, 2)
	}
	if r.Lost {
		k.losses++
		k.lostAt = now
	} else if r.Taken {
		k.losses = 0
	}
}

// acceptsEarly decides about a SYN with the option, or with text: whether its
// text goes to the program at once, and which cookie the SYN-ACK gives (RFC
// 7413, 4.2.2).
func (s *Stack) acceptsEarly(
	now clock.Time, l *TCP, local, remote netip.AddrPort, seg *tcp.Segment,
) (early bool, give wire.FastOpenCookie) {
	bits, policy := s.cfg.FastOpen, l.listening.policy
	most := policy.FastOpen()
	if most == 0 && bits&fastOpenAllListeners != 0 {
		most = policy.Backlog() + 1
	}
	text := seg.Payload.Len() > 0
	keys := s.fast.keys
	if own := l.settings.Options.FastOpenKeys; own != nil {
		keys = *own
	}
	switch o := &seg.Options; {
	case bits&fastOpenServer == 0 || most == 0 || !o.FastOpen && !text || !policy.MayOpenEarly(now, most):
		return false, give
	case text && (bits&fastOpenServerNoCookie != 0 || l.settings.Options.FastOpenNoCookie):
		return true, give
	case !o.FastOpen:
		return false, give
	case !o.Cookie.IsRequest():
		if key, ok := recognizes(keys, o.Cookie, local.Addr(), remote.Addr()); ok {
			if key == 0 {
				return true, give
			}
			early = true // the client's is of a key that is going out of use
		}
	}
	give = tcp.NewFastOpenCookie(keys[0], local.Addr(), remote.Addr())
	give.Experimental = seg.Options.Cookie.Experimental
	return early, give
}

// SetFastOpenKeys sets the keys of cookies: one, or two of which the second is
// only accepted. Without any the machine has a key that nobody knows.
func (s *Stack) SetFastOpenKeys(keys ...tcp.Secret) {
	s.cfg.FastOpenKeys = keys
	s.fast.keys = keys
	if len(keys) == 0 {
		s.fast.keys = []tcp.Secret{fastOpenKey(&s.secret)}
	}
}

// FastOpenKeys returns the keys that were set.
func (s *Stack) FastOpenKeys() []tcp.Secret { return s.cfg.FastOpenKeys }

var errFastOpenKey = errors.New("a key is 32 hexadecimal digits in four groups, such as 00112233-44556677-8899aabb-ccddeeff; " +
	"a second one may follow behind a comma")

// fastOpenKeyKnob is net.ipv4.tcp_fastopen_key.
func fastOpenKeyKnob() knob {
	return knob{
		form: "a key, or two with a comma between them",
		get: func(s *Stack) string {
			var texts []string
			keys := s.cfg.FastOpenKeys
			if len(keys) == 0 {
				keys = make([]tcp.Secret, 1) // as on Linux: nobody has set one
			}
			for _, key := range keys {
				key = swapped(key)
				h := hex.EncodeToString(key[:])
				texts = append(texts, h[:8]+"-"+h[8:16]+"-"+h[16:24]+"-"+h[24:])
			}
			return strings.Join(texts, ",")
		},
		set: func(s *Stack, value string) error {
			var keys []tcp.Secret
			for text := range strings.SplitSeq(value, ",") {
				b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(text), "-", ""))
				if err != nil || len(b) != len(tcp.Secret{}) || len(keys) == 2 {
					return errFastOpenKey
				}
				keys = append(keys, swapped(tcp.Secret(b)))
			}
			if keys[0] == (tcp.Secret{}) {
				keys = nil // what is shown where nobody has set one
			}
			s.SetFastOpenKeys(keys...)
			return nil
		},
	}
}

// swapped turns each group of a key around: it is written as a number, whose
// least octet is the first.
func swapped(key tcp.Secret) tcp.Secret {
	for i := range key {
		if j := i ^ 3; i < j {
			key[i], key[j] = key[j], key[i]
		}
	}
	return key
}

// MayOpenEarly reports whether programs may send text in a SYN.
func (s *Stack) MayOpenEarly() bool { return s.cfg.FastOpen&fastOpenClient != 0 }
