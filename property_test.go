package hubbub_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"

	"hubbub"
	"hubbub/internal/need"
)

// "TCP is able to transfer a continuous stream of octets in each direction
// [...] reliably" (RFC 9293, 2.2): whatever the cables do, short of being cut,
// the bytes arrive exact and both ends come to rest.
func TestAnyImpairmentLeavesTheStreamsExact(t *testing.T) {
	for seed := range uint64(need.Cases(300)) {
		if err := streamsThroughHarm(seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// harm spoils a cable in random ways.
func harm(rnd *rand.Rand, c *hubbub.Cable) {
	some := func(most float64) float64 {
		if rnd.IntN(2) == 0 {
			return 0
		}
		return rnd.Float64() * most
	}
	for _, d := range []hubbub.Direction{hubbub.Out, hubbub.In} {
		c.SetLoss(d, some(0.1))
		c.SetDuplication(d, some(0.1))
		c.SetCorruption(d, some(0.05))
		c.SetDelay(d, time.Duration(some(float64(50*time.Millisecond))))
		c.SetReordering(d, some(0.1), time.Duration(rnd.Int64N(int64(20*time.Millisecond))))
		c.SetJitter(d, time.Duration(some(float64(10*time.Millisecond))), rnd.IntN(2) == 0)
		if rnd.IntN(3) == 0 {
			c.SetRate(d, 100_000+rnd.Int64N(10_000_000))
			c.SetQueue(d, 2+rnd.IntN(50), 0)
		}
	}
}

// streamsThroughHarm sends random bytes both ways over spoilt cables, in
// virtual time, and returns what went wrong. The families take turns.
func streamsThroughHarm(seed uint64) error {
	rnd := rand.New(rand.NewPCG(seed, 0))
	n, feige, client := classroomOn(ways[seed%3].subnet, hubbub.Virtual(), hubbub.Seed(seed))
	defer n.Close()
	nick := host{client, ways[seed%3]}
	harm(rnd, feige.Cable())
	harm(rnd, nick.Cable())
	question, answer := randomBytes(rnd), randomBytes(rnd)
	errs := make(chan error, 2)
	n.Go("feige", func() {
		ln, err := feige.Listen("tcp", ":8080")
		if err != nil {
			errs <- err
			return
		}
		c, err := ln.Accept()
		if err != nil {
			errs <- err
			return
		}
		errs <- talk(n, c, answer, question)
	})
	n.Go("nick", func() {
		c, err := nick.Dial("tcp", "feige:8080")
		for tries := 0; errors.Is(err, syscall.EHOSTUNREACH) && tries < 100; tries++ {
			// Three requests for the MAC address in a row may be lost, or their answers.
			c, err = nick.Dial("tcp", "feige:8080")
		}
		if err != nil {
			errs <- fmt.Errorf("dialling: %w", err)
			return
		}
		errs <- talk(n, c, question, answer)
	})
	if err := n.Run(); err != nil {
		return err
	}
	for range 2 {
		if err := <-errs; err != nil {
			return err
		}
	}
	return atRest(n, feige, client)
}

func randomBytes(rnd *rand.Rand) []byte {
	b := make([]byte, rnd.IntN(100_000))
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// talk writes one stream in a program of its own, reads the other, and
// compares.
func talk(n *hubbub.Network, c net.Conn, say, hear []byte) error {
	n.Go("writer", func() {
		c.Write(say)
		c.(interface{ CloseWrite() error }).CloseWrite()
	})
	got, err := io.ReadAll(c)
	switch {
	case err != nil:
		return fmt.Errorf("after %d of %d bytes: %w", len(got), len(hear), err)
	case !bytes.Equal(got, hear):
		return fmt.Errorf("%d bytes arrived, not the %d that were sent", len(got), len(hear))
	}
	return nil
}

// atRest reports what is left of the connections when everything is over.
func atRest(n *hubbub.Network, hosts ...*hubbub.Host) error {
	if err := n.RunFor(30 * time.Minute); err != nil {
		return err
	}
	for _, h := range hosts {
		for _, s := range h.Netstat() {
			if s.State != "LISTEN" {
				return fmt.Errorf("%s still has a connection: %+v", h.Name(), s)
			}
		}
	}
	return nil
}

// The same seed gives the same story, whatever the scheduler does; another
// seed gives another.
func TestTheSameSeedGivesTheSameStory(t *testing.T) {
	for _, w := range ways {
		first, again, other := storyOf(t, w, 1), storyOf(t, w, 1), storyOf(t, w, 2)
		if first != again {
			t.Errorf("%s: the same seed gave another story", w.name)
		}
		if first == other {
			t.Errorf("%s: another seed gave the same story", w.name)
		}
	}
}
