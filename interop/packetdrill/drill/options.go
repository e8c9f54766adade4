package drill

import (
	"encoding/binary"
	"syscall"

	"hubbub/socket"
)

// The requests of ioctl(2) that streams know.
const (
	siocInq      = 0x541b // bytes that can be read
	siocOutq     = 0x5411 // bytes written that aren't acknowledged
	siocOutqNsd  = 0x894b // bytes written that aren't sent
	siocAtMark   = 0x8905
	lingerLength = 8
)

// ioctl answers a request about a socket.
func (f *file) ioctl(request uint64) (int, syscall.Errno) {
	if request == siocAtMark {
		at, err := f.socket.AtMark()
		if at {
			return 1, 0
		}
		return 0, errnoOf(err)
	}
	info, err := f.socket.Info()
	if err != nil {
		return 0, syscall.EINVAL
	}
	switch request {
	case siocInq:
		return info.Unread, 0
	case siocOutq:
		return info.Unacked + info.Unsent, 0
	case siocOutqNsd:
		return info.Unsent, 0
	}
	return 0, syscall.ENOTTY
}

// setOption sets an option to the value that C has there.
func (f *file) setOption(level, name int, value []byte) (int64, syscall.Errno) {
	switch {
	case level == socket.SOL_SOCKET && name == socket.SO_LINGER && len(value) >= lingerLength:
		seconds := int32At(value[4:])
		if int32At(value) == 0 {
			seconds = -1
		}
		return answer(0, f.socket.SetSockOpt(level, name, seconds))
	case len(value) < 4:
		return -1, syscall.EINVAL
	}
	return answer(0, f.socket.SetSockOpt(level, name, int32At(value)))
}

// option returns the value of an option, at most n bytes of it.
func (f *file) option(level, name, n int) ([]byte, syscall.Errno) {
	value, err := f.socket.GetSockOpt(level, name)
	if err != nil {
		return nil, errnoOf(err)
	}
	b := binary.NativeEndian.AppendUint32(nil, uint32(value))
	return b[:min(n, len(b))], 0
}

func int32At(b []byte) int { return int(int32(binary.NativeEndian.Uint32(b))) }
