package workloads

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"net"
	"sync/atomic"
	"time"

	"hubbub/bench/contestants"
)

func bulks() []*Workload {
	metrics := []Metric{
		{Name: "rate", Title: "rate", Unit: "GB/s", More: true, Digits: 3},
		{Name: "cpu", Title: "processor", Unit: "s/GB", Digits: 3},
		{Name: "allocations", Title: "allocations", Unit: "per 1448 B", Digits: 3},
	}
	return []*Workload{
		{
			Name: "bulk", Title: "Bulk, 1 connection", Contestants: streams, Metrics: metrics,
			Run:      func(t Task) (Sample, error) { return runBulk(t, 1) },
			Profiled: []string{"hubbub", "hubbub-1500"},
		},
		{
			Name: "bulk8", Title: "Bulk, 8 connections", Contestants: streams, Metrics: metrics,
			Run: func(t Task) (Sample, error) { return runBulk(t, 8) },
		},
		{
			Name: "tap-out", Title: "To the kernel, 1 connection", Contestants: edges, Metrics: metrics[:2],
			Run:      func(t Task) (Sample, error) { return runBulk(t, 1) },
			Profiled: []string{"hubbub-tap"},
		},
		{
			Name: "tap-in", Title: "From the kernel, 1 connection", Contestants: edges, Metrics: metrics[:2],
			Run: func(t Task) (Sample, error) {
				inward := *t.Contestant
				inward.New = func(s contestants.Shape) (contestants.Network, error) {
					s.Inward = true
					return t.Contestant.New(s)
				}
				return runBulk(Task{&inward, t.Window, t.Count}, 1)
			},
			Profiled: []string{"hubbub-tap"},
		},
	}
}

// verified is how much each connection carries, behind what is measured, of
// which every byte is looked at.
const verified = 8 << 20

// A transfer is one connection's. What its two goroutines tell each other
// beside the connection is how far the measuring goes, and where all ends.
type transfer struct {
	received atomic.Int64
	_        [56]byte // received alone in its cache line
	stop     atomic.Bool
	whole    atomic.Int64 // from there on each byte is compared
	end      atomic.Int64 // of the stream
}

const notYet = 1 << 62

func runBulk(t Task, conns int) (Sample, error) {
	network, err := t.network()
	if err != nil {
		return nil, err
	}
	pairs, err := connect(network, nil, conns)
	if err != nil {
		return nil, err
	}
	transfers := make([]*transfer, conns)
	errs := make(chan error, 2*conns)
	for i, p := range pairs {
		x := &transfer{}
		x.whole.Store(notYet)
		x.end.Store(notYet)
		transfers[i] = x
		go func() { errs <- x.send(p.client) }()
		go func() { errs <- x.receive(p.server) }()
	}
	sample, err := measureBulk(t, transfers, errs)
	if err != nil {
		return nil, err
	}
	for _, x := range transfers {
		x.stop.Store(true)
	}
	return sample, first(errs, 2*conns)
}

// measureBulk looks at what has arrived when the window begins and when it
// ends.
func measureBulk(t Task, transfers []*transfer, errs <-chan error) (Sample, error) {
	time.Sleep(t.warmUp())
	before, from := used(), received(transfers)
	if err := wait(t.Window, func() bool { return received(transfers) > from }, errs); err != nil {
		return nil, err
	}
	arrived := float64(received(transfers) - from)
	seconds, cpu, mallocs := used().since(before)
	return Sample{
		"rate":        arrived / 1e9 / seconds,
		"cpu":         cpu / (arrived / 1e9),
		"allocations": mallocs / (arrived / 1448),
	}, nil
}

func received(transfers []*transfer) (sum int64) {
	for _, x := range transfers {
		sum += x.received.Load()
	}
	return sum
}

var table = crc64.MakeTable(crc64.ECMA)

// send sends until it is told to stop, then what is compared byte by byte, and
// hears from the receiver what that has got.
func (x *transfer) send(c net.Conn) error {
	defer c.Close()
	var at int64
	write := func() error {
		from := at % int64(len(payload))
		n, err := c.Write(payload[from : from+bufferSize])
		at += int64(n)
		return err
	}
	for !x.stop.Load() {
		if err := write(); err != nil {
			return fmt.Errorf("the sender, at %d: %w", at, err)
		}
	}
	x.whole.Store(at)
	x.end.Store(at + verified)
	sum := uint64(0)
	for end := at + verified; at < end; {
		from := at % int64(len(payload))
		sum = crc64.Update(sum, table, payload[from:from+bufferSize])
		if err := write(); err != nil {
			return fmt.Errorf("the sender, at %d: %w", at, err)
		}
	}
	var report [16]byte
	if _, err := io.ReadFull(c, report[:]); err != nil {
		return fmt.Errorf("the sender waits for the receiver's report: %w", err)
	}
	if n := int64(binary.BigEndian.Uint64(report[:])); n != at {
		return fmt.Errorf("the sender sent %d bytes, the receiver got %d", at, n)
	}
	if binary.BigEndian.Uint64(report[8:]) != sum {
		return errors.New("the sender's checksum of the last bytes isn't the receiver's")
	}
	return nil
}

// receive reads to the end of the stream, and reports.
func (x *transfer) receive(c net.Conn) error {
	defer c.Close()
	buf := make([]byte, bufferSize)
	var at int64
	sum := uint64(0)
	for at < x.end.Load() {
		n, err := c.Read(buf)
		if err != nil {
			return fmt.Errorf("the receiver, at %d: %w", at, err)
		}
		check := checkEnds
		whole := x.whole.Load()
		if at+int64(n) > whole {
			check = checkAll
		}
		if err := check(at, buf[:n]); err != nil {
			return err
		}
		if at+int64(n) > whole {
			sum = crc64.Update(sum, table, buf[max(0, whole-at):n])
		}
		at += int64(n)
		x.received.Store(at)
	}
	report := binary.BigEndian.AppendUint64(nil, uint64(at))
	report = binary.BigEndian.AppendUint64(report, sum)
	if _, err := c.Write(report); err != nil {
		return fmt.Errorf("the receiver's report: %w", err)
	}
	var one [1]byte
	if _, err := c.Read(one[:]); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("the receiver waits for the end: %w", err)
	}
	return nil
}
