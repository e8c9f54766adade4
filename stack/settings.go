package stack

import "hubbub/transport/tcp"

// TCPOptions are what a TCP endpoint's owner may set before it is bound, and
// what its packets carry.
type TCPOptions struct {
	ReuseAddr        bool
	ReusePort        bool
	IPv6             bool  // left to itself, it binds to an IPv6 address
	V6Only           bool  // bound to all IPv6 addresses, it isn't to those of IPv4 (RFC 3493, 5.3)
	Privileged       bool  // it may bind to ports below Config.PrivilegedBelow
	TTL              uint8 // MUST-49 (RFC 9293, 3.9.2)
	TOS              uint8 // without the last two bits, which are ECN's; MUST-48, SHLD-21, SHLD-22 (RFC 9293, 3.9.1.9)
	FastOpen         int   // of a listener: connections that are open before their handshakes are over
	FastOpenConnect  bool  // see [TCP.ConnectDeferred]
	FastOpenNoCookie bool  // no cookie is needed for text in SYNs (TCP_FASTOPEN_NO_COOKIE)
	// FastOpenKeys are the keys of a listener's cookies, one or two; nil: the
	// machine's (TCP_FASTOPEN_KEY).
	FastOpenKeys *[]tcp.Secret
	MaxSegment   int // the longest payload of a segment, zero for what the path takes
	// MayFragment leaves packets without the DF flag: routers may cut them.
	MayFragment bool
}

// Settings are what the owner of a TCP endpoint has set. Endpoints share them:
// they are changed by [TCP.Set] alone.
type Settings struct {
	Options TCPOptions
	Params  tcp.Params // of the connection to be; of the listener's children
}

// manySettings is how many different settings are remembered, to be shared. They
// are then forgotten, and endpoints keep those that they have.
const manySettings = 64

// share returns settings that endpoints with the same share. Most are those that others
// had lately.
func (s *Stack) share(set *Settings) *Settings {
	if s.lately != nil && *s.lately == *set {
		return s.lately
	}
	known := s.settings[*set]
	if known == nil {
		if len(s.settings) >= manySettings {
			clear(s.settings)
		}
		known = new(*set)
		s.settings[*set] = known
	}
	s.lately = known
	return known
}

// Settings returns what is set.
func (e *TCP) Settings() Settings { return *e.settings }

// Set changes what is set.
func (e *TCP) Set(change func(*Settings)) {
	set := *e.settings
	change(&set)
	e.SetAll(set)
}

// SetAll sets everything anew.
func (e *TCP) SetAll(set Settings) {
	if set != *e.settings {
		e.settings = e.stack.share(&set)
	}
}
