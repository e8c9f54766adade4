// Package lab reads a network and a scenario from a file, and runs them.
//
// A lab file is YAML, read strictly: [Load] and [Parse] return a [Config] of
// plain data, or [Problems] that name the file, the line and the column, show
// the line, and say what would be right. [Run] builds the network, plays the
// scenario's steps as programs on its hosts, and returns a [Result]: which
// expectation failed, and where it stands in the file. docs/lab.md is the
// language's reference.
//
// The package has also what the command line and the page show of a lab that
// isn't running: [Plan.Show], and the arithmetic of subnets ([Compare],
// [DescribeSubnet]) with the binary AND.
//
// To add a verb that a host can do: give it an entry in the table of verbs.go
// and a function in the table of calls.go, and describe it in docs/lab.md (a
// test compares them). To add a key of the file: add it to the fields of its
// section in sections.go.
package lab
