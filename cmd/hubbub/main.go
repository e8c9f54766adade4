package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"hubbub/lab"
)

// The exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // an expectation did not hold
	exitUsage  = 2 // wrong usage, bad input
)

// cli is the command line.
type cli struct {
	Run        runCommand        `cmd:"" help:"Run a lab file: its network and its scenario."`
	Show       showCommand       `cmd:"" help:"Show a lab's addresses, subnets and routes, or why two machines are in one subnet or not."`
	Subnet     subnetCommand     `cmd:"" help:"Calculate a subnet, with the binary AND."`
	Frame      frameCommand      `cmd:"" help:"Explain a frame from a capture file or from hex digits, layer by layer, bit by bit."`
	Sysctl     sysctlCommand     `cmd:"" help:"List the settings of a machine: what each is by default, and what it does."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Completion completionCommand `cmd:"" help:"Print a script that completes hubbub's commands in a shell."`
}

const description = `A network in one program: cables, hubs, switches, routers, hosts, and TCP/IP on every host.`

// errFailed says that an expectation failed, of which the user has been told.
var errFailed = errors.New("an expectation failed")

func main() {
	os.Exit(execute(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exited is what ends the parser when it has printed a help text.
type exited int

// execute runs a command line and returns its exit status.
func execute(args []string, s streams) (status int) {
	defer func() {
		if code, ok := recover().(exited); ok {
			status = int(code)
		}
	}()
	parser, err := newParser(s)
	if err != nil {
		return report(s, err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return usage(s, err)
	}
	return report(s, ctx.Run())
}

func newParser(s streams) (*kong.Kong, error) {
	return kong.New(new(cli),
		kong.Name("hubbub"),
		kong.Description(description),
		kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { panic(exited(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Bind(s),
	)
}

// usage tells what is wrong with the command line.
func usage(s streams, err error) int {
	command := "hubbub"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if c := parse.Context.Command(); c != "" {
			command += " " + strings.Fields(c)[0]
		}
	}
	fmt.Fprintf(s.err, "hubbub: %v (see %s --help)\n", err, command)
	return exitUsage
}

// report tells of an error and returns the exit status that it means.
func report(s streams, err error) int {
	var problems lab.Problems
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.As(err, &problems):
		fmt.Fprintln(s.err, problems)
		return exitUsage
	}
	fmt.Fprintf(s.err, "hubbub: %v\n", err)
	return exitUsage
}
