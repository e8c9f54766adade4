// Command so is built with -buildmode=c-shared into the library that
// packetdrill loads by --so_filename: `make packetdrill`. It joins packetdrill's
// functions in C (shim.c) to the host in package drill, and does nothing else.
package main

// #cgo LDFLAGS: -ldl
// #include "shim.h"
import "C"

import (
	"fmt"
	"os"
	"unsafe"

	"hubbub/interop/packetdrill/drill"
)

// machine is the one that packetdrill drives: it loads the library once.
var machine *drill.Machine

//export hubbub_new
func hubbub_new(flags *C.char, thread C.int64_t) {
	settings, err := drill.ParseSettings(C.GoString(flags))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	machine = drill.New(settings, int64(thread))
}

//export hubbub_call
func hubbub_call(number C.int, args *C.struct_hubbub_args, failure *C.int32_t) C.int64_t {
	result, errno := machine.Call(drill.Number(number), (*drill.Args)(unsafe.Pointer(args)))
	*failure = C.int32_t(errno)
	return C.int64_t(result)
}

func main() {}
