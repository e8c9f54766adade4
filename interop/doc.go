// Package interop holds the tests in which others judge hubbub: the Linux
// kernel, first of all.
//
// Each test has a network namespace of its own, with a TAP card in it that is
// an uplink of a hubbub LAN. The kernel is then one host among hubbub's, with
// the address 10.77.0.1; ping, curl and python3 run in the namespace. No frame
// leaves it. The tests take the superuser, and are skipped with a sentence
// where they can't run; see internal/need.
//
// To add a test: newKernel gives the namespace and the LAN; kernel.run runs a
// program there, kernel.listen and kernel.dial open the kernel's sockets.
package interop
