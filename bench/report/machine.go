package report

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Machine is where a run was made.
type Machine struct {
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	Memory     int64  `json:"memory_bytes"`
	Kernel     string `json:"kernel"`
	Go         string `json:"go"`
	Platform   string `json:"platform"`
	Date       string `json:"date"`
	// Load is how many processes wanted a processor, on average, in the minute
	// before the run.
	Load string `json:"load"`
}

// ThisMachine describes the machine.
func ThisMachine() Machine {
	m := Machine{
		Processor: "an unknown processor", Processors: runtime.NumCPU(), Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Date: time.Now().UTC().Format("2 January 2006, 15:04 UTC"),
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.Processor = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(text), " ")
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		m.Memory = int64(info.Totalram) * int64(info.Unit)
	}
	return m
}

// String describes the machine in a sentence.
func (m Machine) String() string {
	return fmt.Sprintf("%s: %d processors (%s), %.0f GB of memory, %s, %s; load before the run: %s.",
		m.Date, m.Processors, m.Processor, float64(m.Memory)/1e9, m.Kernel, m.Go, m.Load)
}
