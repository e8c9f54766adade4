package hubbub_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A small program that has a network in it stays small: nothing of the network
// needs what makes programs large.
func TestANetworkNeedsNothingLarge(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "hubbub").Output()
	if err != nil {
		t.Fatal(err)
	}
	needed := strings.Fields(string(out))
	if !slices.Contains(needed, "hubbub/stack") {
		t.Fatalf("go list told of %d packages, and not of the stack", len(needed))
	}
	for _, large := range []string{"net/http", "crypto/tls", "crypto/x509", "encoding/json", "encoding/xml", "text/template", "math/big", "log", "testing", "regexp"} {
		if slices.Contains(needed, large) {
			t.Errorf("package hubbub needs %s", large)
		}
	}
}
