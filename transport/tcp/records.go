package tcp

import "slices"

// A program may end a record with what it writes (MSG_EOR): no segment then has
// octets of two records, neither when it is sent first nor when it is sent again.
// It is Linux's; to TCP a stream has no records, and the peer sees none.

// mostRecords bounds how many ends of records are remembered.
const mostRecords = 4096

// EndRecord ends a record with what was written last. Beyond the bound records
// are sent together.
func (c *Conn) EndRecord() {
	if c.snd.queue.Len() == 0 {
		return
	}
	if c.rare.records == nil {
		c.own().records = new([]Seq)
	}
	if r := c.rare.records; len(*r) < mostRecords {
		*r = append(*r, c.dataEnd())
	}
}

// ofRecord returns how many of the octets that were never sent are of one
// record, and whether another follows.
func (c *Conn) ofRecord() (n int, follows bool) {
	n = c.unsent()
	if c.rare.records == nil {
		return n, false
	}
	c.forgetRecords()
	if c.rare.records == nil {
		return n, false
	}
	for _, end := range *c.rare.records {
		if c.snd.nxt.Less(end) {
			of := end.Sub(c.snd.nxt)
			return min(n, of), of < n
		}
	}
	return n, false
}

// forgetRecords forgets those that the peer has got.
func (c *Conn) forgetRecords() {
	r, i := *c.rare.records, 0
	for i < len(r) && r[i].LessEq(c.snd.una) {
		i++
	}
	*c.rare.records = r[i:]
	if i == len(r) {
		c.rare.records = nil
	}
}

// endsRecord reports whether a record ends there.
func (c *Conn) endsRecord(at Seq) bool {
	return c.rare.records != nil && slices.Contains(*c.rare.records, at)
}
