package link

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"hubbub/clock"
	"hubbub/wire"
)

// A Station is a line of a Bridge's address table.
type Station struct {
	VLAN uint16
	MAC  wire.MAC
	Port int
	Seen clock.Time // when it last sent a frame
}

// station is what the table is searched for: each VLAN learns for itself
// (IEEE 802.1Q, independent learning).
type station struct {
	vlan uint16
	mac  wire.MAC
}

// key is the station in one word, by which a map finds it fastest.
func (s station) key() uint64 {
	return uint64(s.vlan)<<48 | uint64(binary.BigEndian.Uint16(s.mac[:]))<<32 | uint64(binary.BigEndian.Uint32(s.mac[2:]))
}

// learned is a station in the table, and in the list that is ordered by when
// each was seen last.
type learned struct {
	station
	port         int
	seen         clock.Time
	older, newer *learned
}

// stations is a switch's address table.
type stations struct {
	size    int
	ageing  clock.Duration
	known   map[uint64]*learned // by station.key
	inVLAN  map[uint16]int
	ends    learned    // its newer is the oldest entry, its older the newest
	sweep   clock.Time // when to look for silent stations; not after the first has to go
	refused uint64
	changes uint32 // how often a station has moved or was forgotten, from 1 on
}

func (t *stations) init(size int, ageing clock.Duration) {
	if size <= 0 {
		size = defaultStations
	}
	if ageing <= 0 {
		ageing = defaultAgeing
	}
	t.size, t.ageing, t.changes = size, ageing, 1
	t.known = make(map[uint64]*learned)
	t.inVLAN = make(map[uint16]int)
	t.ends.older, t.ends.newer = &t.ends, &t.ends
}

// find returns what is known of a station, nil if nothing.
func (t *stations) find(key station) *learned { return t.known[key.key()] }

// learn notes that a station sent a frame from port. It reports whether that
// is news, and where the station was before, -1 if nowhere.
func (t *stations) learn(now clock.Time, key station, port int) (before int, news bool) {
	s := t.find(key)
	if s == nil {
		return -1, t.add(now, key, port)
	}
	before, s.port = s.port, port
	t.heard(now, s)
	if before != port {
		t.changes++
	}
	return before, before != port
}

// heard notes that a station which is known has sent a frame.
func (t *stations) heard(now clock.Time, s *learned) {
	s.seen = now
	if s.newer != &t.ends {
		t.unlink(s)
		t.link(s)
	}
}

func (t *stations) add(now clock.Time, key station, port int) bool {
	if t.inVLAN[key.vlan] >= t.size {
		t.refused++
		return false
	}
	s := &learned{station: key, port: port, seen: now}
	t.known[key.key()] = s
	t.inVLAN[key.vlan]++
	t.link(s)
	if t.sweep == clock.Never {
		t.sweep = now.Add(t.ageing)
	}
	return true
}

// link makes s the newest.
func (t *stations) link(s *learned) {
	s.older, s.newer = t.ends.older, &t.ends
	s.older.newer, s.newer.older = s, s
}

func (t *stations) unlink(s *learned) {
	s.older.newer, s.newer.older = s.newer, s.older
}

func (t *stations) forget(s *learned) {
	t.changes++
	t.unlink(s)
	delete(t.known, s.key())
	t.inVLAN[s.vlan]--
}

// expire forgets the stations that have been silent for the ageing time.
func (t *stations) expire(now clock.Time, tell func(*learned)) {
	if !t.sweep.Due(now) {
		return
	}
	oldest := t.ends.newer
	for ; oldest != &t.ends && oldest.seen.Add(t.ageing) <= now; oldest = t.ends.newer {
		t.forget(oldest)
		tell(oldest)
	}
	t.sweep = clock.Never
	if oldest != &t.ends {
		t.sweep = oldest.seen.Add(t.ageing)
	}
}

// remove forgets the stations that are chosen, the oldest first.
func (t *stations) remove(chosen func(*learned) bool, tell func(*learned)) {
	for s := t.ends.newer; s != &t.ends; {
		next := s.newer
		if chosen(s) {
			t.forget(s)
			tell(s)
		}
		s = next
	}
	if len(t.known) == 0 {
		t.sweep = clock.Never
	}
}

// table returns all stations, ordered by VLAN and address.
func (t *stations) table() []Station {
	all := make([]Station, 0, len(t.known))
	for s := t.ends.newer; s != &t.ends; s = s.newer {
		all = append(all, Station{VLAN: s.vlan, MAC: s.mac, Port: s.port, Seen: s.seen})
	}
	slices.SortFunc(all, func(a, b Station) int {
		return cmp.Or(cmp.Compare(a.VLAN, b.VLAN), bytes.Compare(a.MAC[:], b.MAC[:]))
	})
	return all
}
