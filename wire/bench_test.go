package wire_test

import (
	"fmt"
	"testing"

	"hubbub/wire"
)

func BenchmarkChecksum(b *testing.B) {
	for _, size := range []int{20, 64, 1460, 65536} {
		buf := make([]byte, size)
		for i := range buf {
			buf[i] = byte(i * 7)
		}
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				wire.Checksum(buf)
			}
		})
	}
}

func BenchmarkFCS(b *testing.B) {
	head, payload := make([]byte, 54), make([]byte, 1460)
	b.SetBytes(int64(len(head) + len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		wire.FCS(head, payload)
	}
}

// BenchmarkHeader parses and appends what is usual in a data segment.
func BenchmarkHeader(b *testing.B) {
	for _, c := range zeroAllocCases() {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.f()
			}
		})
	}
}
