package main

// serverName is the file that makes a test binary a server. It is never written
// into the package's directory: the compiler gets it as an overlay.
const serverName = "zz_mutants_test.go"

// serverSource is its text; %s is the package's name. It takes orders, a line
// each, and answers each with a line in file 3:
//
//	(before the first)                  IDS   mutants that were reached before
//	reach TEST LIMIT                    pass NANOSECONDS IDS, or fail, or fail time
//	judge ID TEST LIMIT TEST LIMIT …    pass, or fail TEST, or fail time
//
// After each it says that it is ready, or ends: a goroutine that a test has left
// behind might disturb the next. It ends as well when a test takes far too long,
// or panics.
const serverSource = `package %s

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	mutantAnswers  = bufio.NewWriter(os.NewFile(3, "answers"))
	mutantDeadline atomic.Int64 // of processor time, 0: none
	mutantUsage    syscall.Rusage
)

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.list").Value.String() != "" {
		os.Exit(m.Run())
	}
	mutantNoting = false
	mutantAnswer(mutantTold()...)
	go mutantWatch()
	base := runtime.NumGoroutine() + 1
	orders := bufio.NewReader(os.Stdin)
	for {
		line, err := orders.ReadString('\n')
		if err != nil {
			os.Exit(0)
		}
		words := strings.Fields(line)
		if words[0] == "reach" {
			mutantReachOne(m, words[1], words[2])
		} else {
			mutantJudge(m, words[1:])
		}
		if runtime.NumGoroutine() > base {
			os.Exit(0)
		}
		mutantAnswer("ready")
	}
}

func mutantAnswer(words ...string) {
	fmt.Fprintln(mutantAnswers, strings.Join(words, " "))
	mutantAnswers.Flush()
}

func mutantRun(m *testing.M, test string) bool {
	flag.Set("test.run", "^" + test + "$")
	return m.Run() == 0
}

func mutantReachOne(m *testing.M, test, limit string) {
	mutantNoting = true
	start := mutantBusy()
	if most, _ := strconv.ParseInt(limit, 10, 64); most > 0 {
		mutantDeadline.Store(start + most)
	}
	ok := mutantRun(m, test)
	mutantDeadline.Store(0)
	took := strconv.FormatInt(mutantBusy()-start, 10)
	mutantNoting = false
	told := mutantTold()
	if ok {
		mutantAnswer(append([]string{"pass", took}, told...)...)
	} else {
		mutantAnswer("fail")
	}
}

func mutantJudge(m *testing.M, words []string) {
	mutantActive, _ = strconv.Atoi(words[0])
	for i := 1; i+1 < len(words); i += 2 {
		limit, _ := strconv.ParseInt(words[i+1], 10, 64)
		mutantDeadline.Store(mutantBusy() + limit)
		ok := mutantRun(m, words[i])
		mutantDeadline.Store(0)
		if !ok {
			mutantAnswer("fail", words[i])
			return
		}
	}
	mutantAnswer("pass")
}

// mutantTold returns the mutants that were reached since it was last asked.
func mutantTold() (ids []string) {
	for id := range mutantSeen {
		if mutantSeen[id].Swap(false) {
			ids = append(ids, strconv.Itoa(id))
		}
	}
	return ids
}

func mutantBusy() int64 {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return used.Utime.Nano() + used.Stime.Nano()
}

// mutantWatch ends the process when a test keeps the processor busy for too long.
// It allocates nothing: some tests count that.
func mutantWatch() {
	for {
		time.Sleep(20 * time.Millisecond)
		if limit := mutantDeadline.Load(); limit != 0 {
			syscall.Getrusage(syscall.RUSAGE_SELF, &mutantUsage)
			if mutantUsage.Utime.Nano()+mutantUsage.Stime.Nano() > limit {
				mutantAnswer("fail", "time")
				os.Exit(2)
			}
		}
	}
}
`
