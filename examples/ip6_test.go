package examples_test

import (
	"context"
	"testing"

	"hubbub/lab"
)

// aboutIPv4 are the examples that can't do without it, and why.
var aboutIPv4 = map[string]string{
	"classrooms.yaml": "it shows who hears ARP",
	"fragments.yaml":  "it has links that are too narrow for IPv6, and routers that cut packets",
	"syn-flood.yaml":  "the strangers' packets are made by hand",
	"tw-recycle.yaml": "its machines share one address behind another",
}

// Every other example holds its expectations over IPv6 too: what is above the
// network layer doesn't know which it runs on.
func TestExamplesOverIPv6(t *testing.T) {
	for _, file := range names(t) {
		if aboutIPv4[file] != "" {
			continue
		}
		t.Run(file, func(t *testing.T) {
			c, err := lab.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.OverIPv6(); err != nil {
				t.Fatal(err)
			}
			result, err := lab.Run(context.Background(), c, lab.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range result.Failures {
				t.Errorf("%s", f.String())
			}
		})
	}
}
