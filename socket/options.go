package socket

import (
	"encoding/binary"
	"math"
	"syscall"
	"time"

	"hubbub/clock"
)

// An option is a row of the table of options: what programs in Go and in C set
// and ask by its level and number, which are Linux's.
type option struct {
	name string
	kind kind

	// How it is set and read as a number. One without set can only be read,
	// one without get is ENOPROTOOPT to whoever asks.
	get func(s *Socket, now clock.Time) (int, error)
	set func(s *Socket, now clock.Time, value int) error
	// How a value that is no number is set and read, as C has it in memory.
	read  func(s *Socket, now clock.Time) ([]byte, error)
	write func(s *Socket, now clock.Time, value []byte) error
}

// A kind says what an option's number looks like in C.
type kind uint8

const (
	number  kind = iota // an int
	flag                // an int, 0 or 1
	linger              // struct linger: whether, and how many seconds; as a number seconds, negative for not
	timeval             // struct timeval; as a number microseconds
	wide                // a uint64
	blob                // no number: read and write
)

// place is where an option is in the table.
type place struct {
	level, number int
}

// table has all options. It is made of a map for each level: see
// optionsocket.go, optiontcp.go, optionip.go.
var table = map[int]map[int]option{
	SOL_SOCKET:   socketOptions,
	IPPROTO_TCP:  tcpOptions,
	IPPROTO_IP:   ipOptions,
	IPPROTO_IPV6: ipv6Options,
}

// SetSockOpt sets an option: setsockopt(2). Switches take 0 or 1; units are
// those of the option's constant. The errors are ENOPROTOOPT for an option
// that the socket doesn't have and EINVAL for a value out of range.
func (s *Socket) SetSockOpt(level, name, value int) error {
	return s.setSockOpt(place{level, name}, value, func(o *option, now clock.Time) error {
		if o.set == nil {
			return syscall.ENOPROTOOPT
		}
		return o.set(s, now, value)
	})
}

// SetSockOptBytes sets an option to what a program in C has in memory, in
// x86-64's layout of the kernel's types. EINVAL says that value is too short.
func (s *Socket) SetSockOptBytes(level, name int, value []byte) error {
	shown, _ := kind(number).decode(level, value)
	return s.setSockOpt(place{level, name}, shown, func(o *option, now clock.Time) error {
		switch {
		case o.write != nil:
			return o.write(s, now, value)
		case o.set == nil:
			return syscall.ENOPROTOOPT
		}
		n, err := o.kind.decode(level, value)
		if err != nil {
			return err
		}
		return o.set(s, now, n)
	})
}

func (s *Socket) setSockOpt(at place, shown int, set func(*option, clock.Time) error) error {
	now, err := s.enter()
	if err != nil {
		return failed("setsockopt", err)
	}
	defer s.leave()
	o, err := s.optionAt(at, false)
	if err == nil {
		err = set(&o, now)
	}
	s.tell("setsockopt", 0, "%s, %d", err, optionName(at), shown)
	return failed("setsockopt", err)
}

// GetSockOpt returns an option: getsockopt(2). SO_ERROR returns the errno of
// the error that is pending, and clears it.
func (s *Socket) GetSockOpt(level, name int) (int, error) {
	var value int
	err := s.getSockOpt(place{level, name}, func(o *option, now clock.Time) (err error) {
		if o.get == nil {
			return syscall.ENOPROTOOPT
		}
		value, err = o.get(s, now)
		return err
	})
	return value, err
}

// GetSockOptBytes returns an option as a program in C gets it: at most size
// bytes, in x86-64's layout of the kernel's types.
func (s *Socket) GetSockOptBytes(level, name, size int) ([]byte, error) {
	var value []byte
	err := s.getSockOpt(place{level, name}, func(o *option, now clock.Time) (err error) {
		value, err = o.bytes(s, now, level, size)
		return err
	})
	return value, err
}

func (o *option) bytes(s *Socket, now clock.Time, level, size int) ([]byte, error) {
	switch {
	case size < 0:
		return nil, syscall.EINVAL
	case o.read != nil:
		b, err := o.read(s, now)
		return b[:min(len(b), size)], err
	case o.get == nil:
		return nil, syscall.ENOPROTOOPT
	}
	n, err := o.get(s, now)
	if err != nil {
		return nil, err
	}
	if level == IPPROTO_IP && size > 0 && size < 4 && n >= 0 && n <= math.MaxUint8 {
		return []byte{byte(n)}, nil // options of IP may be asked for as a char
	}
	b := o.kind.encode(n)
	return b[:min(len(b), size)], nil
}

func (s *Socket) getSockOpt(at place, get func(*option, clock.Time) error) error {
	now, err := s.enter()
	if err != nil {
		return failed("getsockopt", err)
	}
	defer s.leave()
	o, err := s.optionAt(at, true)
	if err == nil {
		err = get(&o, now)
	}
	return failed("getsockopt", err)
}

// optionAt finds an option in the table, with Linux's errors for one that the
// socket hasn't: of another level it depends on whether it is asked for or
// set.
func (s *Socket) optionAt(at place, asked bool) (option, error) {
	mine := at.level == SOL_SOCKET || at.level == IPPROTO_IPV6 && s.family == AF_INET6 || s.other.unix == nil && (at.level == IPPROTO_IP ||
		at.level == IPPROTO_TCP && s.tcp != nil || at.level == IPPROTO_UDP && s.other.udp != nil)
	switch o, known := table[at.level][at.number]; {
	case mine && known:
		return o, nil
	case mine, s.other.unix == nil && (!asked || s.family == AF_INET6):
		return option{}, syscall.ENOPROTOOPT
	}
	return option{}, syscall.EOPNOTSUPP
}

// decode reads a number as C has it in memory.
func (k kind) decode(level int, b []byte) (int, error) {
	var v int
	switch {
	case k == linger && len(b) >= 8:
		if v = int32At(b[4:]); int32At(b) == 0 {
			v = -1
		}
	case k == timeval && len(b) >= 16:
		seconds, micros := int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:]))
		if micros < 0 || micros >= 1e6 {
			return 0, syscall.EDOM
		}
		v = int(min(max(seconds, -1), maxSeconds)*1e6 + micros)
	case k == wide && len(b) >= 8:
		v = int(binary.NativeEndian.Uint64(b))
	case k != linger && k != timeval && len(b) >= 4:
		v = int32At(b)
	case level == IPPROTO_IP && len(b) > 0:
		v = int(b[0])
	default:
		return 0, syscall.EINVAL
	}
	return v, nil
}

// maxSeconds is more than any time-out of use, and can be counted in
// nanoseconds.
const maxSeconds = int64(math.MaxInt64 / time.Second / 2)

func int32At(b []byte) int { return int(int32(binary.NativeEndian.Uint32(b))) }

// encode writes a number as C has it in memory.
func (k kind) encode(n int) []byte {
	var b []byte
	le := binary.NativeEndian
	switch k {
	case linger:
		b = le.AppendUint32(b, uint32(toInt(n >= 0)))
		b = le.AppendUint32(b, uint32(max(0, n)))
	case timeval:
		b = le.AppendUint64(b, uint64(n/1e6))
		b = le.AppendUint64(b, uint64(n%1e6))
	case wide:
		b = le.AppendUint64(b, uint64(n))
	default:
		b = le.AppendUint32(b, uint32(int32(n)))
	}
	return b
}

func toInt(on bool) int {
	if on {
		return 1
	}
	return 0
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

func optionName(at place) string {
	if o, ok := table[at.level][at.number]; ok {
		return o.name
	}
	return "an unknown option"
}

// remembered returns an option that a socket keeps for whoever asks, and that
// changes nothing in this network; it begins with a value.
func remembered(name string, kind kind, at place, begins, low, high int) option {
	return option{
		name, kind,
		func(s *Socket, _ clock.Time) (int, error) {
			if v, ok := s.more().kept[at]; ok {
				return v, nil
			}
			return begins, nil
		},
		func(s *Socket, _ clock.Time, v int) error {
			if kind == flag {
				v = toInt(v != 0)
			}
			if v < low || v > high {
				return syscall.EINVAL
			}
			return s.keep(at, v)
		},
		nil, nil,
	}
}

// readOnly returns an option that can only be asked for.
func readOnly(name string, get func(*Socket) int) option {
	return option{name: name, get: func(s *Socket, _ clock.Time) (int, error) { return get(s), nil }}
}
