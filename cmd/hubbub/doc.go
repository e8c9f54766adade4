// Hubbub runs networks from lab files, shows them, and explains frames.
//
//	hubbub run examples/classrooms.yaml
//	hubbub show examples/classrooms.yaml nick wang
//	hubbub subnet 172.16.10.1/24 172.16.11.10
//	hubbub frame capture.pcapng 3
//
// The exit status is 0 if every expectation held, 1 if one failed, and 2 for
// wrong usage or bad input.
//
// To add a command: write its type with a Help method and a Run method in a
// file of its own, and give it a field in the cli type of main.go. What it does
// belongs into a package; here is only the wiring.
package main
