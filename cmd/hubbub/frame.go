package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"hubbub/capture"
)

type frameCommand struct {
	Source []string `arg:"" help:"A capture file and the number of a frame in it; or hex digits; or - to read either from standard input." placeholder:"FILE [NUMBER] | HEX"`
	View   int      `help:"Count seven layers (OSI), five, or four (TCP/IP)." default:"7" enum:"7,5,4" placeholder:"7|5|4"`
	Bits   bool     `help:"Print every byte as eight bits, as on the cable."`
	FCS    string   `help:"Whether the hex digits end with the frame check sequence: guess, yes or no." name:"fcs" default:"guess" enum:"guess,yes,no" placeholder:"guess|yes|no"`
	ASCII  bool     `help:"Draw with ASCII characters only." name:"ascii"`
	Width  int      `help:"How many columns to use." default:"100" placeholder:"N"`
}

// Help is the longer help text.
func (frameCommand) Help() string {
	return `Prints the nested dolls that a frame is made of, and every field of every
header with its place, its value and its meaning. Without a number, the frames
of a capture file (pcapng or pcap) are listed.

Examples:

  hubbub frame echo.pcapng
  hubbub frame echo.pcapng 3
  hubbub frame echo.pcapng 3 --view 4 --bits
  hubbub frame ffffffffffff020000000001080600010800060400010200000000...
  echo 'ff ff ff ff ff ff 02 00 00 00 00 01 08 06 ...' | hubbub frame -`
}

// Run explains a frame, or lists those of a file.
func (c *frameCommand) Run(s streams) error {
	if name := c.Source[0]; name != "-" {
		if file, err := os.Open(name); err == nil {
			defer file.Close()
			return c.capture(s, name, file)
		} else if !errors.Is(err, fs.ErrNotExist) || strings.ContainsAny(name, "./\\") {
			return fmt.Errorf("%s can't be read: %w", name, reason(err))
		}
		return c.digits(s, strings.Join(c.Source, ""))
	}
	input, err := io.ReadAll(io.LimitReader(s.in, maxInput))
	if err != nil {
		return fmt.Errorf("standard input can't be read: %w", err)
	}
	if _, err := capture.NewFrameReader(strings.NewReader(string(input))); err == nil {
		return c.capture(s, "standard input", strings.NewReader(string(input)))
	}
	return c.digits(s, string(input))
}

// maxInput bounds what is read from standard input.
const maxInput = 64 << 20

func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// digits explains a frame that is given as hex digits.
func (c *frameCommand) digits(s streams, text string) error {
	clean := strings.NewReplacer(" ", "", ":", "", "\n", "", "\t", "", "\r", "", "0x", "").Replace(text)
	b, err := hex.DecodeString(clean)
	switch {
	case clean == "":
		return errors.New("there are no hex digits: write the frame's bytes, such as ffffffffffff0200000000010806")
	case err != nil && errors.Is(err, hex.ErrLength):
		return fmt.Errorf("%d hex digits are half a byte too many or too few: a byte has two", len(clean))
	case err != nil:
		return fmt.Errorf("%.40q is neither a file nor hex digits", text)
	}
	mode := map[string]capture.FCSMode{"guess": capture.FCSGuess, "yes": capture.FCSThere, "no": capture.FCSAbsent}[c.FCS]
	return c.explain(s, b, mode, "")
}

func (c *frameCommand) explain(s streams, frame []byte, fcs capture.FCSMode, heading string) error {
	return capture.Explain(s.out, frame, capture.ExplainOptions{
		View: capture.View(c.View), FCS: fcs, Bits: c.Bits, ASCII: c.ASCII, Width: c.Width, Heading: heading,
	})
}

// capture explains a frame of a capture file, or lists them all.
func (c *frameCommand) capture(s streams, name string, r io.Reader) error {
	frames, err := capture.ReadFrames(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(frames) == 0 {
		return fmt.Errorf("%s: there is no frame in the file", name)
	}
	if len(c.Source) == 1 {
		for i := range frames {
			fmt.Fprintln(s.out, frameLine(&frames[i]))
		}
		return nil
	}
	n, err := strconv.Atoi(c.Source[1])
	switch {
	case err != nil || len(c.Source) > 2:
		return fmt.Errorf("%q is not the number of one frame", strings.Join(c.Source[1:], " "))
	case n < 1 || n > len(frames):
		return fmt.Errorf("%s has no frame %d: its frames are numbered 1 to %d", name, n, len(frames))
	}
	f := &frames[n-1]
	fcs := capture.FCSAbsent
	if f.HasFCS {
		fcs = capture.FCSThere
	}
	return c.explain(s, f.Data, fcs, frameLine(f))
}

// frameLine says in a line which frame of a file this is.
func frameLine(f *capture.Frame) string {
	p := capture.Decode(f.Data)
	return strings.TrimRight(fmt.Sprintf("%5d %12v %-18s %s", f.Number, f.Time, f.Interface, p.Summary()), " ")
}
