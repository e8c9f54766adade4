package tcp

import "time"

const second = time.Second

// blackHole looks for a path that swallows long segments without a word: a
// router that doesn't send, or a firewall that doesn't pass, what would tell
// the path MTU. Where segments are sent again and again for nothing, they are
// sent in shorter ones: first of Config.BaseMSS, then of half that, and so on.
//
// "If there is a full-stop timeout and there was not an ICMP message indicating
// a reason ... the RECOMMENDED first recovery action is to treat this as a
// detected ICMP black hole ... If eff_pmtu is larger than search_low, set
// eff_pmtu to search_low. ... Upon additional successive timeouts, search_low
// and eff_pmtu SHOULD be halved" (RFC 4821, 7.7). The first step and the least
// are Linux's.
func (c *Conn) blackHole() {
	if c.env.MTUProbing == 0 {
		return
	}
	mss := c.env.BaseMSS
	if c.snd.shortened > 0 {
		mss = max(min(mss, int(c.snd.shortened)/2), c.env.MTUProbeFloor, c.env.MinSendMSS)
	}
	c.snd.shortened = uint16(mss)
	before := c.snd.mss
	c.setMSS()
	if c.snd.mss < before {
		c.tellCongestion("long segments seem to vanish: shorter ones are sent")
	}
}
