// A small program with the kernel's network: it says hello to itself. Bench
// looks at how big it is.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	if err := hello(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hello(out io.Writer) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		if c, err := ln.Accept(); err == nil {
			fmt.Fprintln(c, "hello")
			c.Close()
		}
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, c)
	return err
}
