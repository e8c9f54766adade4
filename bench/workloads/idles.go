package workloads

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"syscall"
	"time"

	"hubbub/bench/contestants"
)

func idles() []*Workload {
	idle := func(name, title string, count int, who []string) *Workload {
		return &Workload{
			Name: name, Title: title, Contestants: who, Big: count > 10_000,
			Metrics: []Metric{
				{Name: "total", Title: "process and kernel", Unit: "B/pair"},
				{Name: "heap", Title: "of which Go's heap and stacks", Unit: "B/pair"},
				{Name: "all", Title: "all of them", Unit: "GB", Digits: 3},
				{Name: "goroutines", Title: "goroutines", Unit: "1/pair", Digits: 2},
			},
			Run: func(t Task) (Sample, error) { return runIdle(t, t.many(count)) },
		}
	}
	// A hundred thousand are many enough for what the process itself has grown by to be
	// little beside them.
	waiting := func(name, title string, count int) *Workload {
		return &Workload{
			Name: name, Title: title,
			Contestants: []string{"hubbub", "gvisor-1500", "gvisor-64k", "linux"},
			Metrics: []Metric{
				{Name: "total", Title: "process and kernel", Unit: "B each"},
				{Name: "heap", Title: "of which Go's heap and stacks", Unit: "B each"},
			},
			Run: func(t Task) (Sample, error) { return runTimeWait(t, t.many(count)) },
		}
	}
	// A million pairs are more files than Linux lets a process have.
	inMemory := []string{"hubbub", "gvisor-64k", "pipe"}
	return []*Workload{
		idle("idle", "Idle connections, 10,000", 10_000, lasting),
		idle("idle100k", "Idle connections, 100,000", 100_000, lasting),
		idle("idle1M", "Idle connections, 1,000,000", 1_000_000, inMemory),
		waiting("timewait", "Connections in TIME-WAIT, 10,000", 10_000),
		waiting("timewait100k", "Connections in TIME-WAIT, 100,000", 100_000),
	}
}

// calm is how long a network gets to do what it has put off, such as to send
// delayed acknowledgments.
const calm = 500 * time.Millisecond

// runIdle opens connections, sends a byte through each in both directions, and
// lets them rest.
func runIdle(t Task, count int) (Sample, error) {
	network, err := t.network()
	if err != nil {
		return nil, err
	}
	if t.Contestant.Kernel {
		if count, err = asFiles(count); err != nil {
			return nil, err
		}
	}
	// What holds the pairs isn't the network's: it is there before.
	pairs := make([]pair, count+1)
	for i := range pairs {
		pairs[i].client = nobody{}
	}
	pairs = pairs[:0]
	if pairs, err = connect(network, pairs, 1); err != nil { // what is needed once
		return nil, err
	}
	before, err := measureMemory(t.Contestant.Kernel)
	if err != nil {
		return nil, err
	}
	if pairs, err = connect(network, pairs, count+1); err != nil {
		return nil, err
	}
	for _, p := range pairs {
		if err := greet(p); err != nil {
			return nil, err
		}
	}
	time.Sleep(calm)
	after, err := measureMemory(t.Contestant.Kernel)
	runtime.KeepAlive(pairs)
	return after.since(before, count), err
}

// nobody is a connection that isn't there.
type nobody struct{ net.Conn }

// otherFiles is how many files a process has that aren't connections, at most.
const otherFiles = 64

// asFiles returns how many pairs there can be if each connection is a file: a
// few less than wanted say the same of each.
func asFiles(count int) (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("how many files the process may have: %w", err)
	}
	most := int(min(limit.Cur, 1<<30)-otherFiles) / 2
	if most < count*9/10 {
		return 0, fmt.Errorf("%d pairs of connections are %d files, and the process may have %d: ulimit -n sets that",
			count, 2*count, limit.Cur)
	}
	return min(count, most), nil
}

// greet sends a byte each way.
func greet(p pair) error {
	done := make(chan error, 1)
	go func() {
		var b [1]byte
		_, err := io.ReadFull(p.server, b[:])
		if err == nil {
			_, err = p.server.Write(b[:])
		}
		done <- err
	}()
	b := [1]byte{7}
	if _, err := p.client.Write(b[:]); err != nil {
		return fmt.Errorf("the client's byte: %w", err)
	}
	b[0] = 0
	if _, err := io.ReadFull(p.client, b[:]); err != nil {
		return fmt.Errorf("the server's byte: %w", err)
	}
	if b[0] != 7 {
		return errors.New("another byte came back than was sent")
	}
	return <-done
}

// runTimeWait opens connections one after the other and closes them, the
// server first: each leaves a TIME-WAIT there.
func runTimeWait(t Task, count int) (Sample, error) {
	network, err := t.network()
	if err != nil {
		return nil, err
	}
	if err := openAndClose(network, firstPort-1, 64); err != nil { // what is needed once
		return nil, err
	}
	before, err := measureMemory(t.Contestant.Kernel)
	if err != nil {
		return nil, err
	}
	for port := firstPort; count > perPort*(port-firstPort); port++ {
		if err := openAndClose(network, port, min(perPort, count-perPort*(port-firstPort))); err != nil {
			return nil, err
		}
	}
	time.Sleep(calm)
	after, err := measureMemory(t.Contestant.Kernel)
	runtime.KeepAlive(network)
	return after.since(before, count), err
}

func openAndClose(network contestants.Network, port, count int) error {
	ln, err := network.Listen(port)
	if err != nil {
		return fmt.Errorf("listening on port %d: %w", port, err)
	}
	defer ln.Close()
	for range count {
		p, err := connectOne(network, ln, port)
		if err != nil {
			return err
		}
		if err := p.server.Close(); err != nil {
			return fmt.Errorf("the server's close: %w", err)
		}
		var b [1]byte
		if _, err := p.client.Read(b[:]); !errors.Is(err, io.EOF) {
			return fmt.Errorf("the client waited for the end of the connection, and got: %w", err)
		}
		if err := p.client.Close(); err != nil {
			return fmt.Errorf("the client's close: %w", err)
		}
	}
	return nil
}
