package examples_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"hubbub/internal/need"
)

// complaints is what makes tshark show a frame: malformed, a bad checksum, or a
// warning. ICMP errors may have warnings: tshark computes TCP's checksum of the
// segment that the error quotes, though only its first part is there. That
// something came twice or late, or its ACK is captured before it, is what
// faults do.
const complaints = "_ws.malformed || ip.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || eth.fcs.status == 0 ||" +
	" (!icmp && !tcp.options.sack.dsack && !tcp.analysis.ack_lost_segment && !tcp.analysis.out_of_order && _ws.expert.severity >= 0x600000)"

// An independent reader finds nothing to complain of in what the examples
// write. Every packet has a comment that says why it was sent.
func TestTsharkReadsExamples(t *testing.T) {
	program := need.Command(t, "tshark")
	for _, file := range names(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			captured := filepath.Join(t.TempDir(), "example.pcapng")
			if err := os.WriteFile(captured, []byte(runFor(t, file).once), 0o644); err != nil {
				t.Fatal(err)
			}
			command := exec.Command(program, "-r", captured, "-Y", "!frame.comment || "+complaints,
				"-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
				"-o", "eth.check_fcs:TRUE", "-T", "fields",
				"-e", "frame.number", "-e", "_ws.col.info", "-e", "_ws.expert.message", "-e", "frame.comment")
			var errors bytes.Buffer
			command.Stderr = &errors
			out, err := command.Output()
			if err != nil {
				t.Fatalf("tshark: %v: %s", err, errors.String())
			}
			if len(out) > 0 {
				t.Errorf("tshark complains of these frames, or finds no comment:\n%s", out)
			}
		})
	}
}
