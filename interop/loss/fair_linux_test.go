package main

import (
	"testing"

	"hubbub/internal/need"
)

// Issue 3: hubbub's cubic and the kernel's share a link within a fifth.
func TestHubbubAndLinuxShareALink(t *testing.T) {
	need.NetworkNamespaces(t)
	if !need.Nightly() {
		t.Skip("this test takes some minutes of real time: HUBBUB_NIGHTLY=1 runs it, and so does make fairness")
	}
	for _, c := range contests() {
		if !c.linux {
			continue
		}
		s, err := realContests(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: hubbub and Linux get %v", c.name(), s)
		if s.apart() > 0.2 {
			t.Errorf("%s: hubbub and Linux get %v; within 20 %% is wanted", c.name(), s)
		}
	}
}
