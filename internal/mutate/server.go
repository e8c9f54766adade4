package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// server is a process of the test binary that waits for orders: the mutant that
// is to be in force, and the tests that are to be run. It serves many mutants, so
// that a process need not be started for each. See serverSource for what it says.
type server struct {
	cmd     *exec.Cmd
	orders  io.WriteCloser
	file    *os.File
	answers *bufio.Reader
	initial map[int]bool // mutants that are reached before the first order
}

// start begins a server. A mutant that is reached while the package's variables get
// their first values must be in force from the beginning: id.
func (j *judge) start(id int) (*server, error) {
	answers, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	const memory = 4 << 20 // kB: a mutant may well ask for all there is
	shell := fmt.Sprintf(`ulimit -v %d; exec "$0" -test.count=1`, memory)
	s := &server{cmd: exec.Command("sh", "-c", shell, j.binary), file: answers, answers: bufio.NewReader(answers), initial: map[int]bool{}}
	s.cmd.Dir = j.p.dir
	s.cmd.Env = append(os.Environ(), "MUTANT="+strconv.Itoa(id))
	s.cmd.ExtraFiles = []*os.File{theirs}
	if s.orders, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	words, err := s.answer()
	if err != nil {
		return nil, fmt.Errorf("the tests of %s don't start: %w", filepath.Base(j.p.path), err)
	}
	for _, word := range words {
		s.initial[number(word)] = true
	}
	return s, nil
}

// order sends a line; an error shows when the answer is read.
func (s *server) order(format string, args ...any) { fmt.Fprintf(s.orders, format+"\n", args...) }

// ready reports whether the server takes another order.
func (s *server) ready() bool {
	words, err := s.answer()
	return err == nil && len(words) == 1 && words[0] == "ready"
}

// answer is the server's next line, in words; an error says that it died.
func (s *server) answer() ([]string, error) {
	line, err := s.answers.ReadString('\n')
	return strings.Fields(line), err
}

// reaches runs one test alone, without a mutant. It reports whether it passed, and
// whether it was ended because it took longer than it may (0: as long as it likes).
func (s *server) reaches(name string, limit time.Duration) (t test, passed, slow bool) {
	s.order("reach %s %d", name, limit)
	words, err := s.answer()
	if err != nil || len(words) < 2 || words[0] != "pass" {
		return test{}, false, len(words) == 2
	}
	t = test{name: name, took: time.Duration(number(words[1]))}
	for _, word := range words[2:] {
		t.ids = append(t.ids, number(word))
	}
	return t, true, false
}

// judges lets a mutant meet tests until one fails. It returns its name, "time" if
// one took far too long, "crash" if one ended the process, "" if all passed.
func (s *server) judges(id int, tests []test) string {
	var b strings.Builder
	for _, t := range tests {
		fmt.Fprintf(&b, " %s %d", t.name, tolerance(t.took))
	}
	s.order("judge %d%s", id, b.String())
	words, err := s.answer()
	switch {
	case err != nil || len(words) == 0:
		return "crash"
	case words[0] == "pass":
		return ""
	}
	return words[1]
}

// tolerance is how long a test may keep the processor busy that should take so
// long: a mutant that makes it slower by far has been noticed.
func tolerance(took time.Duration) time.Duration { return 10*took + 300*time.Millisecond }

func number(word string) int {
	n, _ := strconv.Atoi(word)
	return n
}
