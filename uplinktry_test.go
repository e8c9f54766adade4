package hubbub_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"hubbub"
	"hubbub/wire"
)

// A trial is an outside that can be tried. It notes what is called.
type trial struct {
	come    chan [][]byte // frames, without headers, that are there at the same time
	rest    [][]byte      // those that are still to be read; of who reads
	closing chan struct{}
	hold    chan struct{} // a TryWriteParts waits for it, if it isn't nil
	header  [10]byte      // before each frame that comes

	sync.Mutex
	busy, broken bool // TryWriteParts would have to wait; it fails
	calls        []string
	went         [][]byte
}

func newTrial() *trial { return &trial{come: make(chan [][]byte), closing: make(chan struct{})} }

func (o *trial) Offload() error { return nil }
func (o *trial) Close() error   { close(o.closing); return nil }

func (o *trial) ReadParts(b [][]byte) (int, error) {
	if len(o.rest) > 0 {
		return o.next(b), nil
	}
	select {
	case o.rest = <-o.come:
		return o.next(b), nil
	case <-o.closing:
		return 0, os.ErrClosed
	}
}

func (o *trial) TryReadParts(b [][]byte) (int, error) {
	o.note("try to read")
	if len(o.rest) == 0 {
		return 0, nil
	}
	return o.next(b), nil
}

// next reads a frame that is there.
func (o *trial) next(b [][]byte) int {
	frame := o.rest[0]
	o.rest = o.rest[1:]
	return fill(b, slices.Concat(o.header[:], frame))
}

// comes lets frames be there at the same time, and all happen that follows.
func (o *trial) comes(frames ...[]byte) {
	o.come <- frames
	synctest.Wait()
}

func (o *trial) WriteParts(b [][]byte) (int, error) {
	select {
	case <-o.closing:
		return 0, os.ErrClosed
	default:
	}
	o.note("write")
	o.take(b)
	return 1, nil
}

func (o *trial) TryWriteParts(b [][]byte) (bool, error) {
	if o.hold != nil {
		<-o.hold
		return true, os.ErrClosed
	}
	o.note("try to write")
	o.Lock()
	busy, broken := o.busy, o.broken
	o.Unlock()
	switch {
	case broken:
		return true, errors.New("broken")
	case busy:
		return false, nil
	}
	o.take(b)
	return true, nil
}

func (o *trial) note(call string) {
	o.Lock()
	defer o.Unlock()
	o.calls = append(o.calls, call)
}

func (o *trial) take(b [][]byte) {
	o.Lock()
	defer o.Unlock()
	o.went = append(o.went, slices.Concat(b[1:]...))
}

// noted returns what was called, and what went outside, since it was asked last.
func (o *trial) noted() (calls []string, went [][]byte) {
	o.Lock()
	defer o.Unlock()
	calls, went, o.calls, o.went = o.calls, o.went, nil, nil
	return calls, went
}

func (o *trial) Read([]byte) (int, error)    { return 0, io.EOF }
func (o *trial) Write(b []byte) (int, error) { return 0, io.EOF }

// inTrialBubble is inUplinkBubble with an outside that can be tried.
func inTrialBubble(t *testing.T, f func(t *testing.T, o *trial, u *hubbub.Uplink, nick *hubbub.Host), options ...hubbub.UplinkOption) {
	synctest.Test(t, func(t *testing.T) {
		n := hubbub.New()
		defer n.Close()
		room, o := n.LAN("classroom", "172.16.10.0/24"), newTrial()
		u := room.Uplink("world", o, options...)
		f(t, o, u, room.Host("nick"))
		if err := n.Err(); err != nil {
			t.Error(err)
		}
	})
}

// echoRequest is the outside's ping, with n octets of data: its number is in the IP header
// and the message.
func echoRequest(nick *hubbub.Host, number uint16, n int) []byte {
	eth := wire.Ethernet{Dst: nick.MAC(), Src: stranger, Type: wire.EtherTypeIPv4}
	ip := wire.IPv4{TotalLen: wire.IPv4HeaderLen + wire.ICMPv4HeaderLen + n, ID: number, TTL: 64, Protocol: wire.ProtocolICMP, Src: nick.Addr().Prev(), Dst: nick.Addr()}
	echo := wire.ICMPv4{Type: wire.Echo}
	echo.SetEcho(1, number)
	return echo.AppendTo(ip.AppendTo(eth.AppendTo(nil)), make([]byte, n))
}

// pings are n such requests, numbered from 0.
func pings(nick *hubbub.Host, n int) (frames [][]byte) {
	for i := range n {
		frames = append(frames, echoRequest(nick, uint16(i), 1400))
	}
	return frames
}

// numberOf returns the number of an answer to an echoRequest.
func numberOf(frame []byte) uint16 {
	return binary.BigEndian.Uint16(frame[wire.EthernetHeaderLen+wire.IPv4HeaderLen+6:])
}

// What is short is written by who has sent it; and nothing is looked for behind it.
func TestWhatIsShortIsTriedFirst(t *testing.T) {
	inTrialBubble(t, func(t *testing.T, o *trial, u *hubbub.Uplink, nick *hubbub.Host) {
		o.comes(arpRequest(nick))
		if calls, went := o.noted(); !slices.Equal(calls, []string{"try to write"}) || len(went) != 1 || len(went[0]) != 60 {
			t.Errorf("%v, %d frames: want one answer of 60 octets, tried to be written", calls, len(went))
		}
		if s := u.Stats(); s.Out != 1 || s.OutBytes != 60 {
			t.Errorf("%+v", s)
		}
	})
}

// What the outside doesn't take at once is left to who may wait, and all that comes behind it.
func TestOrderIsKeptWhereTheOutsideHasToBeWaitedFor(t *testing.T) {
	inTrialBubble(t, func(t *testing.T, o *trial, u *hubbub.Uplink, nick *hubbub.Host) {
		o.comes(arpRequest(nick))
		o.noted()
		o.busy = true
		o.comes(pings(nick, 5)...)
		calls, went := o.noted()
		for i, frame := range went {
			if numberOf(frame) != uint16(i) {
				t.Errorf("answer %d is that to ping %d", i, numberOf(frame))
			}
		}
		if len(went) != 5 || !slices.Contains(calls, "try to write") || u.Stats().Out != 6 {
			t.Errorf("%v; %d answers; %+v", calls, len(went), u.Stats())
		}
	})
}

// Frames that wait behind a long one are handled together, up to a limit; so are their
// answers, which who has caused them writes. Then it is looked for more a while.
func TestFramesThatWaitAreHandledTogether(t *testing.T) {
	inTrialBubble(t, func(t *testing.T, o *trial, u *hubbub.Uplink, nick *hubbub.Host) {
		o.comes(arpRequest(nick))
		o.noted()
		o.comes(pings(nick, 32)...)
		calls, went := o.noted()
		reads, writes, looks := slices.Repeat([]string{"try to read"}, 32), slices.Repeat([]string{"try to write"}, 32), slices.Repeat([]string{"try to read"}, 16)
		if want := slices.Concat(reads[:31], writes, looks); !slices.Equal(calls, want) || len(went) != 32 {
			t.Errorf("%v, %d answers", calls, len(went))
		}
		o.comes(pings(nick, 33)...)
		calls, went = o.noted()
		if want := slices.Concat(reads[:31], writes, looks[:1], reads[:1], writes[:1], looks); !slices.Equal(calls, want) || len(went) != 33 {
			t.Errorf("of 33: %v, %d answers", calls, len(went))
		}
	})
}

// Behind one short frame of eight it is looked for more; as long as there are some, they are
// handled together.
func TestShortFramesThatWait(t *testing.T) {
	inTrialBubble(t, func(t *testing.T, o *trial, u *hubbub.Uplink, nick *hubbub.Host) {
		o.comes(slices.Repeat([][]byte{arpRequest(nick)}, 10)...)
		calls, went := o.noted()
		alone := slices.Repeat([]string{"try to write"}, 7)
		if want := slices.Concat(alone, []string{"try to read", "try to read", "try to read", "try to write", "try to write", "try to write"}); !slices.Equal(calls, want) || len(went) != 10 {
			t.Errorf("%v, %d answers", calls, len(went))
		}
		o.comes(arpRequest(nick))
		if calls, _ := o.noted(); !slices.Equal(calls, []string{"try to write"}) {
			t.Errorf("then %v: want one that is alone", calls)
		}
	})
}

// Long frames are enough before they are many.
func TestABatchOfLongFramesIsSmall(t *testing.T) {
	const jumbo = 50000
	inTrialBubble(t, func(t *testing.T, o *trial, u *hubbub.Uplink, nick *hubbub.Host) {
		o.comes(slices.Repeat([][]byte{make([]byte, jumbo)}, 6)...)
		calls, _ := o.noted()
		// Four and two, and before each it is looked whether there is another.
		if want := slices.Repeat([]string{"try to read"}, 3+1+2+16); !slices.Equal(calls, want) {
			t.Errorf("%d calls, want %d: %v", len(calls), len(want), calls)
		}
		if s := u.Stats(); s.In != 6 || s.InBytes != 6*jumbo {
			t.Errorf("%+v", s)
		}
	})
}

// Who has something else to do writes no more than a turn's frames, and leaves the others
// behind them to who hasn't.
func TestATurnIsLimited(t *testing.T) {
	inTrialBubble(t, func(t *testing.T, o *trial, u *hubbub.Uplink, nick *hubbub.Host) {
		o.comes(arpRequest(nick))
		o.noted()
		c, err := nick.ListenPacket("udp", ":7")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.WriteTo(make([]byte, 40*1480-8), &net.UDPAddr{IP: nick.Addr().Prev().AsSlice(), Port: 9}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		calls, went := o.noted()
		if want := slices.Concat(slices.Repeat([]string{"try to write"}, 32), slices.Repeat([]string{"write"}, 8)); !slices.Equal(calls, want) {
			t.Errorf("%v", calls)
		}
		for i, fragment := range went {
			if ip, _, err := wire.ParseIPv4(fragment[wire.EthernetHeaderLen:]); err != nil || ip.FragOffset != 1480*i {
				t.Errorf("fragment %d is that of octet %d: %v", i, ip.FragOffset, err)
			}
		}
	})
}

// A write that fails loses its frame, and no other.
func TestATryThatFails(t *testing.T) {
	inTrialBubble(t, func(t *testing.T, o *trial, u *hubbub.Uplink, nick *hubbub.Host) {
		o.broken = true
		o.comes(arpRequest(nick))
		if all := u.Discards(); all["the outside refused the frame"] != 1 || len(all) != 1 {
			t.Errorf("%v", all)
		}
		o.Lock()
		o.broken = false
		o.Unlock()
		o.comes(arpRequest(nick))
		if u.Stats().Out != 1 {
			t.Errorf("%+v", u.Stats())
		}
	})
}

// "When it returns no more frames are read or written": not by somebody who was at it
// either.
func TestCloseWaitsForWhoIsWriting(t *testing.T) {
	inTrialBubble(t, func(t *testing.T, o *trial, u *hubbub.Uplink, nick *hubbub.Host) {
		o.hold = make(chan struct{})
		server, err := nick.ListenPacket("udp", ":7")
		if err != nil {
			t.Fatal(err)
		}
		go server.WriteTo([]byte("who has it?"), &net.UDPAddr{IP: nick.Addr().Prev().AsSlice(), Port: 9})
		synctest.Wait()
		closed := make(chan struct{})
		go func() {
			u.Close()
			close(closed)
		}()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("it is closed while a frame is being written")
		default:
		}
		close(o.hold)
		<-closed
		if all := u.Discards(); all["the outside refused the frame"] != 1 || len(all) != 1 {
			t.Errorf("%v", all)
		}
	})
}

// triedEnd is an end of a wire that can be tried.
type triedEnd struct{ *wireEnd }

func (e triedEnd) TryReadParts(parts [][]byte) (int, error) {
	select {
	case b := <-e.in:
		return fill(parts, b), nil
	default:
		return 0, nil
	}
}

func (e triedEnd) TryWriteParts(parts [][]byte) (bool, error) {
	b := slices.Concat(parts...)
	select {
	case e.out <- b:
		e.longest.Store(max(e.longest.Load(), int64(len(b))))
		return true, nil
	default:
		return false, nil
	}
}
