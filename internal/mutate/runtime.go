package main

// runtimeName is the file with what the mutants need at run time. It is never
// written into the package's directory: the compiler gets it as an overlay.
const runtimeName = "zz_mutants.go"

// runtimeSource is its text; %s is the package's name. MUTANT is the id of the
// mutant in force at the beginning; what is reached is noted in mutantSeen.
const runtimeSource = `package %s

import (
	"os"
	"strconv"
	"sync/atomic"
)

var (
	mutantActive = func() int { id, _ := strconv.Atoi(os.Getenv("MUTANT")); return id }()
	mutantNoting = true // until the first order
	mutantSeen   [%d]atomic.Bool
)

func mutantOn(id int) bool {
	if mutantNoting {
		mutantSeen[id].Store(true)
	}
	return id == mutantActive
}

type mutantInteger interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

type mutantNumber interface {
	mutantInteger | ~float32 | ~float64
}

func mutantConst[T mutantNumber](id int, value T) T {
	if mutantOn(id) {
		return value + 1
	}
	return value
}

func mutantAdd[T mutantNumber](id int, a, b T) T {
	if mutantOn(id) {
		return a - b
	}
	return a + b
}

func mutantSub[T mutantNumber](id int, a, b T) T {
	if mutantOn(id) {
		return a + b
	}
	return a - b
}

func mutantMul[T mutantNumber](id int, a, b T) T {
	if mutantOn(id) {
		return a / b
	}
	return a * b
}

func mutantQuo[T mutantNumber](id int, a, b T) T {
	if mutantOn(id) {
		return a * b
	}
	return a / b
}

func mutantRem[T mutantInteger](id int, a, b T) T {
	if mutantOn(id) {
		return a * b
	}
	return a %% b
}

func mutantAnd[T mutantInteger](id int, a, b T) T {
	if mutantOn(id) {
		return a | b
	}
	return a & b
}

func mutantOr[T mutantInteger](id int, a, b T) T {
	if mutantOn(id) {
		return a & b
	}
	return a | b
}

func mutantXor[T mutantInteger](id int, a, b T) T {
	if mutantOn(id) {
		return a & b
	}
	return a ^ b
}

func mutantAndNot[T mutantInteger](id int, a, b T) T {
	if mutantOn(id) {
		return a & b
	}
	return a &^ b
}

func mutantShl[T, S mutantInteger](id int, a T, b S) T {
	if mutantOn(id) {
		return a >> b
	}
	return a << b
}

func mutantShr[T, S mutantInteger](id int, a T, b S) T {
	if mutantOn(id) {
		return a << b
	}
	return a >> b
}

func mutantMin[T mutantNumber](id int, a T, more ...T) T {
	if mutantOn(id) {
		for _, b := range more {
			a = max(a, b)
		}
		return a
	}
	for _, b := range more {
		a = min(a, b)
	}
	return a
}

func mutantMax[T mutantNumber](id int, a T, more ...T) T {
	if mutantOn(id) {
		for _, b := range more {
			a = min(a, b)
		}
		return a
	}
	for _, b := range more {
		a = max(a, b)
	}
	return a
}
`
