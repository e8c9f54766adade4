package stack

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// chains are the lists of a hash table: linear hashing (Litwin, 1980). It grows
// and shrinks by a bucket at a time, so that no segment has to wait until a
// million connections have found new places. What is in it has room for its hash
// and for the next of its list; the zero E ends a list.
type chains[E comparable] struct {
	pieces  []*[piece]E // of the buckets: the first of each list
	buckets uint32
	count   int
	link    func(E) (hash uint32, next *E)
}

// piece is how many buckets are allocated at once.
const piece = 64

// A table is sparse where one bucket in four is in use. It then shrinks by more
// than four buckets for each that goes, so that it keeps up with them.
const sparse, fewTimes = 4, 5

// bucket returns where what has that hash is: by as many of the hash's last bits
// as number all buckets, but for the first of them where it leads to a bucket
// that isn't there yet.
func (c *chains[E]) bucket(hash uint32) uint32 {
	mask := uint32(1)<<bits.Len32(c.buckets-1) - 1
	n := hash & mask
	if n >= c.buckets {
		n &= mask >> 1
	}
	return n
}

// parentOf returns the bucket that a bucket is split off from.
func parentOf(n uint32) uint32 { return n &^ (1 << (bits.Len32(n) - 1)) }

func (c *chains[E]) at(n uint32) *E { return &c.pieces[n/piece][n%piece] }

// first returns the first of the list in which what has that hash is.
func (c *chains[E]) first(hash uint32) (none E) {
	if c.buckets == 0 {
		return none
	}
	return *c.at(c.bucket(hash))
}

// add puts e in, whose hash is noted in it.
func (c *chains[E]) add(e E) {
	if c.count >= int(c.buckets) {
		c.grow()
	}
	c.count++
	hash, next := c.link(e)
	first := c.at(c.bucket(hash))
	*first, *next = e, *first
}

// place returns what refers to e, which is in.
func (c *chains[E]) place(e E) *E {
	hash, _ := c.link(e)
	at := c.at(c.bucket(hash))
	for *at != e {
		_, at = c.link(*at)
	}
	return at
}

// remove takes e out, which is in.
func (c *chains[E]) remove(e E) {
	var none E
	_, next := c.link(e)
	*c.place(e), *next = *next, none
	c.count--
	for range fewTimes {
		if c.buckets > piece && c.count < int(c.buckets)/sparse {
			c.shrink()
		}
	}
}

// grow adds a bucket, with what of its parent belongs there.
func (c *chains[E]) grow() {
	if c.buckets%piece == 0 {
		c.pieces = append(c.pieces, new([piece]E))
	}
	n := c.buckets
	c.buckets++
	if n == 0 {
		return
	}
	var none E
	to, at := c.at(n), c.at(parentOf(n))
	for *at != none {
		e := *at
		hash, next := c.link(e)
		if c.bucket(hash) != n {
			at = next
			continue
		}
		*at, *next, *to = *next, *to, e
	}
}

// shrink joins the last bucket with its parent.
func (c *chains[E]) shrink() {
	var none E
	n := c.buckets - 1
	at := c.at(parentOf(n))
	for *at != none {
		_, at = c.link(*at)
	}
	*at, *c.at(n) = *c.at(n), none
	c.buckets--
	if last := len(c.pieces) - 1; c.buckets%piece == 0 {
		c.pieces[last] = nil
		c.pieces = c.pieces[:last]
	}
}

// all calls f with everything that is in, in no particular order.
func (c *chains[E]) all(f func(E)) {
	var none E
	for n := range c.buckets {
		for e := *c.at(n); e != none; {
			_, next := c.link(e)
			f(e)
			e = *next
		}
	}
}

// connTable finds a connection by its two ends.
type connTable struct{ chains[*TCP] }

func newConnTable() connTable {
	return connTable{chains[*TCP]{link: func(e *TCP) (uint32, **TCP) { return e.hash, &e.next }}}
}

// find returns the connection between two ends, nil if there is none.
func (t *connTable) find(hash uint32, local, remote netip.AddrPort) *TCP {
	for e := t.first(hash); e != nil; e = e.next {
		if e.hash == hash && e.remote == remote && sameEnd(e.local, local) {
			return e
		}
	}
	return nil
}

// sameEnd reports whether two addresses of this machine are the same, of a link
// that is known.
func sameEnd(a, b netip.AddrPort) bool {
	return a == b || a.Port() == b.Port() && a.Addr().WithZone("") == b.Addr().WithZone("")
}

// hashOf returns a number that depends on the two ends of a connection and on
// what nobody outside knows, so that nobody can choose ends that meet in one
// bucket.
func (s *Stack) hashOf(local, remote netip.AddrPort) uint32 {
	k0, k1 := binary.LittleEndian.Uint64(s.secret.key[:]), binary.LittleEndian.Uint64(s.secret.key[8:])
	l, r := local.Addr().As16(), remote.Addr().As16()
	h := fold(binary.LittleEndian.Uint64(l[:])^k0, binary.LittleEndian.Uint64(l[8:])^k1)
	h = fold(h^binary.LittleEndian.Uint64(r[:])^k1, binary.LittleEndian.Uint64(r[8:])^k0)
	h = fold(h^uint64(local.Port())<<16^uint64(remote.Port())^k0, k1|1)
	return uint32(h ^ h>>32)
}

// fold multiplies, and joins the two halves of the product.
func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}
