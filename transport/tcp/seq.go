package tcp

// A Seq is a sequence number: the place of one octet in a stream, counted
// modulo 2^32 (RFC 9293, 3.4). Two sequence numbers can only be compared when
// they are less than 2^31 apart, which windows of at most 1 GiB ensure
// (RFC 7323, 2.3).
type Seq uint32

// Add returns the sequence number n octets after s, or before it for a
// negative n.
func (s Seq) Add(n int) Seq { return s + Seq(n) }

// Sub returns how many octets s is after t; it is negative where s comes first.
func (s Seq) Sub(t Seq) int { return int(int32(s - t)) }

// Less reports whether s comes before t.
func (s Seq) Less(t Seq) bool { return int32(s-t) < 0 }

// LessEq reports whether s comes before t or is t.
func (s Seq) LessEq(t Seq) bool { return int32(s-t) <= 0 }

// Between reports whether s is one of the octets from low up to, but not
// including, high.
func (s Seq) Between(low, high Seq) bool { return s-low < high-low }

// earlier returns the earlier of two sequence numbers.
func earlier(s, t Seq) Seq {
	if s.Less(t) {
		return s
	}
	return t
}

// later returns the later of two sequence numbers.
func later(s, t Seq) Seq {
	if s.Less(t) {
		return t
	}
	return s
}
