package archtest

import (
	"testing"

	"hubbub/internal/gosource"
)

func TestTree(t *testing.T) {
	root, err := gosource.Root()
	if err != nil {
		t.Fatal(err)
	}
	files, err := gosource.Walk(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no Go file was found below %s", root)
	}
	for _, check := range checks {
		t.Run(check.name, func(t *testing.T) {
			for _, f := range files {
				for _, violation := range check.find(f) {
					t.Error(violation)
				}
			}
		})
	}
}
