package route

import "net/netip"

// maxRedirects bounds the routes that the network made us add.
const maxRedirects = 64

// OriginRedirect marks such routes.
const OriginRedirect = "redirect"

// Redirect heeds an ICMP redirect that came from a gateway and says that dst
// is better reached by another: a route to dst alone is added. It returns an
// empty string, or why the message is not heeded.
//
// RFC 1122, 3.2.2.2 (R1122-22): "A Redirect message SHOULD be silently discarded if the
// new gateway address it specifies is not on the same connected (sub-) net
// through which the Redirect arrived [INTRO:2, Appendix A], or if the source of the Redirect
// is not the current first-hop gateway for the specified destination (see Section 3.3.1)."
func (t *Table) Redirect(dst, from, better netip.Addr, arrived int) (why string) {
	dst, from, better = dst.Unmap(), from.Unmap(), better.Unmap()
	now, ok := t.Lookup(dst)
	if !ok || !from.IsValid() || now.NextHop != from {
		return "the sender is not the gateway that we use for this destination"
	}
	if now.Interface != arrived {
		return "it came through another interface than the gateway's"
	}
	if !t.onLink(dst, better, arrived) {
		return "the new gateway is not on the link that it came from"
	}
	if better == dst {
		better = netip.Addr{}
	}
	t.forgetRedirects(dst)
	err := t.Add(Route{
		Prefix: netip.PrefixFrom(dst, dst.BitLen()), NextHop: better,
		Interface: arrived, Source: now.Source, Origin: OriginRedirect,
	})
	if err != nil {
		return err.Error()
	}
	return ""
}

// onLink reports whether packets to better can leave by an interface without a
// gateway. IPv6's redirects name a router by its link-local address, or the
// destination itself, which says that it is on the link: "the ICMP Destination
// Address field and the Target Address field in the redirect message [...] are
// identical" (RFC 4861, 8.1 and 8.3).
func (t *Table) onLink(dst, better netip.Addr, arrived int) bool {
	if better.Is6() {
		return better == dst || better.IsLinkLocalUnicast()
	}
	link, ok := t.Lookup(better)
	return ok && !link.NextHop.IsValid() && link.Interface == arrived
}

// forgetRedirects removes the redirected route to dst, and one more if there
// are too many.
func (t *Table) forgetRedirects(dst netip.Addr) {
	var redirects []Route
	for i := range t.rows {
		r := t.rows[i].Route
		switch {
		case r.Origin != OriginRedirect:
		case r.Prefix.Addr() == dst:
			t.Remove(r)
			return
		default:
			redirects = append(redirects, r)
		}
	}
	if len(redirects) >= maxRedirects {
		t.Remove(redirects[0])
	}
}
