package archtest

import "hubbub/internal/gosource"

// checks are all rules. Each returns a sentence per violation.
var checks = []struct {
	name string
	find func(gosource.File) []string
}{
	{"Arrows", arrows},
	{"PureMachines", purity},
	{"OneClock", oneClock},
	{"NoSleep", noSleep},
	{"Size", size},
}
