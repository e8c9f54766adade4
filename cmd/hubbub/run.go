package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"time"

	"hubbub/capture"
	"hubbub/event"
	"hubbub/lab"
)

type runCommand struct {
	File    string  `arg:"" help:"The lab file." placeholder:"FILE"`
	Seed    *uint64 `help:"Use these random numbers instead of the lab's: other ports, other sequence numbers, other losses." placeholder:"N"`
	Speed   speed   `help:"How fast the lab's time passes: virtual waits for nothing; 1 is as fast as real time, 0.01 slow motion." default:"virtual" placeholder:"virtual|N"`
	IP      string  `help:"Play the lab over IPv4, as most are written, or over IPv6." name:"ip" enum:"4,6," default:"" placeholder:"4|6"`
	Pcap    string  `help:"Write every frame at every port to a pcapng file, with the reasons as comments." placeholder:"FILE" type:"path"`
	Once    bool    `help:"Write each packet once to the pcapng file: at the machine that sent it."`
	Filter  string  `help:"Tell of these packets alone, such as 'host nick and tcp port 8080'." placeholder:"EXPRESSION"`
	Verbose int     `help:"Tell more: -v timers, windows and socket calls, -vv every packet layer by layer." short:"v" type:"counter"`
	Quiet   bool    `help:"Tell less: what is said and expected, not every packet." short:"q"`
	Ladder  bool    `help:"Draw a ladder diagram of each conversation at the end." default:"true" negatable:""`
	JSON    bool    `help:"Write an object for each event, one a line, instead of the story." name:"json"`
	ASCII   bool    `help:"Draw with ASCII characters only." name:"ascii"`
	Width   int     `help:"How many columns to use." default:"100" placeholder:"N"`
}

// Help is the longer help text.
func (runCommand) Help() string {
	return `The network of the lab is built, and its scenario played. By default its
time is virtual: two hours pass in a moment, and the same lab with the same
seed does the same, byte for byte. The exit status is 0 if every expectation
held, 1 if one failed.

Examples:

  hubbub run examples/classrooms.yaml
  hubbub run examples/lossy.yaml --seed 5 --no-ladder
  hubbub run examples/time-wait.yaml -q
  hubbub run examples/echo-loop.yaml --pcap echo.pcapng
  hubbub run examples/half-close.yaml --speed 0.01
  hubbub run examples/classrooms.yaml --ip 6
  hubbub run examples/classrooms.yaml --filter 'arp' --no-ladder`
}

// speed is how fast a lab's time passes; 0 is virtual time.
type speed float64

// UnmarshalText reads "virtual" or a factor.
func (s *speed) UnmarshalText(text []byte) error {
	if string(text) == "virtual" {
		*s = 0
		return nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(f > 0 && f <= 1e6) {
		return fmt.Errorf("%q is neither virtual nor a factor above 0, such as 1 or 0.01", text)
	}
	*s = speed(f)
	return nil
}

// A teller hears of events and writes what it makes of them.
type teller interface {
	Handle(*event.Event)
	Close() error
}

// Run runs the lab.
func (r *runCommand) Run(s streams) error {
	options, err := r.options()
	if err != nil {
		return err
	}
	config, err := lab.Load(r.File)
	if err == nil && r.IP == "6" {
		err = config.OverIPv6()
	}
	if err != nil {
		return err
	}
	progress := newProgress(s.err, float64(r.Speed))
	out, flush := r.buffered(progress.before(s.out))
	options.Names = config.AddressNames()
	tellers, err := r.tellers(out, options.Names)
	if err != nil {
		progress.stop()
		return err
	}
	options.Watch = append(options.Watch, progress.handle)
	for _, t := range tellers {
		options.Watch = append(options.Watch, t.Handle)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	result, err := lab.Run(ctx, config, options)
	for _, t := range tellers {
		err = errors.Join(err, t.Close())
	}
	err = errors.Join(err, flush())
	progress.stop()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	return r.conclude(s, result)
}

// buffered returns a writer to w that writes much at once, unless somebody
// reads along in the lab's time, and what writes the rest.
func (r *runCommand) buffered(w io.Writer) (out io.Writer, flush func() error) {
	if r.Speed > 0 {
		return w, func() error { return nil }
	}
	b := bufio.NewWriterSize(w, 1<<16)
	return b, b.Flush
}

// options returns how the lab is run.
func (r *runCommand) options() (lab.Options, error) {
	o := lab.Options{Speed: float64(r.Speed)}
	if r.Seed == nil {
		return o, nil
	}
	if o.Seed = *r.Seed; o.Seed == 0 {
		return o, errors.New("the seed must be 1 or more")
	}
	return o, nil
}

// tellers returns those who tell what happens, in the order in which they
// write.
func (r *runCommand) tellers(out io.Writer, names map[netip.Addr]string) ([]teller, error) {
	var filter *capture.Filter
	if r.Filter != "" {
		var err error
		if filter, err = capture.ParseFilter(r.Filter, names); err != nil {
			return nil, err
		}
	}
	var all []teller
	if r.JSON {
		all = append(all, capture.NewJSONWriter(out, capture.JSONOptions{Filter: filter}))
	} else {
		all = append(all, capture.NewStory(out, capture.StoryOptions{
			Detail: r.detail(), Names: names, Filter: filter, Width: r.Width, ASCII: r.ASCII,
		}))
	}
	if r.Ladder && !r.JSON {
		all = append(all, blankLine{out}, capture.NewLadder(out, capture.LadderOptions{
			Names: names, Filter: filter, Width: r.Width, ASCII: r.ASCII,
		}))
	}
	if r.Pcap == "" {
		return all, nil
	}
	file, err := newFile(r.Pcap)
	if err != nil {
		return nil, err
	}
	w := capture.NewPcapngWriter(file, capture.PcapngOptions{
		Names: names, Filter: filter, Once: r.Once, Comment: "made by hubbub run " + r.File,
	})
	return append(all, &savedFile{w, file}), nil
}

// A blankLine is told between two tellers' tales.
type blankLine struct{ w io.Writer }

// Handle does nothing.
func (blankLine) Handle(*event.Event) {}

// Close writes the line.
func (b blankLine) Close() error {
	_, err := fmt.Fprintln(b.w)
	return err
}

// detail is how much the story tells.
func (r *runCommand) detail() capture.Detail {
	if r.Quiet {
		return capture.Words
	}
	return min(capture.Plot+capture.Detail(r.Verbose), capture.EveryLayer)
}

// A savedFile is a capture file that is being written.
type savedFile struct {
	*capture.PcapngWriter
	file io.Closer
}

// Close finishes the file.
func (f *savedFile) Close() error { return errors.Join(f.PcapngWriter.Close(), f.file.Close()) }

func newFile(name string) (*os.File, error) {
	f, err := os.Create(name)
	var path *os.PathError
	if errors.As(err, &path) {
		return nil, fmt.Errorf("%s can't be written: %w", name, path.Err)
	}
	return f, err
}

// conclude tells what came of the scenario.
func (r *runCommand) conclude(s streams, result *lab.Result) error {
	out := s.out
	if r.JSON {
		out = s.err
	}
	fmt.Fprintf(out, "\n%s in %v of the lab's time.\n", result.Summary(), result.Elapsed.Round(time.Microsecond))
	if result.OK() {
		return nil
	}
	for _, f := range result.Failures {
		fmt.Fprintln(s.err, f.String())
	}
	return errFailed
}
