// A small program with hubbub: one host says hello to another. Bench looks at
// how big it is.
package main

import (
	"fmt"
	"io"
	"os"

	"hubbub"
)

func main() {
	if err := hello(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hello(out io.Writer) error {
	n := hubbub.New()
	defer n.Close()
	room := n.LAN("room", "10.0.0.0/24")
	server, client := room.Host("server"), room.Host("client")
	ln, err := server.Listen("tcp", ":7000")
	if err != nil {
		return err
	}
	go func() {
		if c, err := ln.Accept(); err == nil {
			fmt.Fprintln(c, "hello")
			c.Close()
		}
	}()
	c, err := client.Dial("tcp", "server:7000")
	if err != nil {
		return err
	}
	_, err = io.Copy(out, c)
	return err
}
