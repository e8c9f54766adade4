package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// made are the namespaces that are to be removed before the program ends.
var made struct {
	sync.Mutex
	names map[string]bool
}

// sweep removes the namespaces of earlier runs that were killed, and makes this
// one remove its own when it is interrupted.
var sweep = sync.OnceFunc(func() {
	left, _ := filepath.Glob("/run/netns/hubbub-*-*")
	for _, path := range left {
		name := filepath.Base(path)
		pid, err := strconv.Atoi(strings.Split(name, "-")[1])
		if err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			// Another run may be sweeping too: whoever is second finds nothing.
			_ = ip("netns", "delete", name)
		}
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		made.Lock()
		for name := range made.names {
			_ = ip("netns", "delete", name)
		}
		os.Exit(1)
	}()
})

// note remembers that a namespace is there, or is not there any more.
func note(name string, there bool) {
	made.Lock()
	defer made.Unlock()
	if made.names == nil {
		made.names = make(map[string]bool)
	}
	made.names[name] = there
	if !there {
		delete(made.names, name)
	}
}
