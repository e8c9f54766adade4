package lab_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"hubbub/lab"
)

// Whatever a file has in it, Parse returns a Config or Problems, each with a
// place in the file.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "../examples/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(source)
		}
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		config, err := lab.Parse("fuzz.yaml", source)
		if (config == nil) == (err == nil) {
			t.Fatalf("config %v, error %v", config, err)
		}
		var problems lab.Problems
		if err != nil && (!errors.As(err, &problems) || len(problems) == 0 || err.Error() == "") {
			t.Fatalf("an error without a problem: %v", err)
		}
	})
}
