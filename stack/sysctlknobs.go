package stack

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hubbub/clock"
)

// A knob reads and sets one value of a machine. Its constructors are below: a
// row of the table names where the value is, and its limits.
type knob struct {
	form string
	get  func(s *Stack) string
	set  func(s *Stack, value string) error // nil: it can only be read
}

// then returns k with something that is to be done after the value has been
// set.
func (k knob) then(do func(s *Stack)) knob {
	set := k.set
	k.set = func(s *Stack, value string) error {
		err := set(s, value)
		if err == nil {
			do(s)
		}
		return err
	}
	return k
}

// unbounded is the largest value of settings whose kind has no limit of its
// own: Linux keeps them in 32 bits.
const unbounded = 1<<31 - 1

// number is a whole number.
func number(least, most int, at func(s *Stack) *int) knob {
	return quantity("number", least, most,
		func(s *Stack) int { return *at(s) },
		func(s *Stack, n int) { *at(s) = n })
}

// toggle is 0 or 1.
func toggle(at func(s *Stack) *bool) knob {
	return knob{
		form: "0 or 1",
		get:  func(s *Stack) string { return strconv.Itoa(bit(*at(s))) },
		set: func(s *Stack, value string) error {
			n, err := wholeNumber(value, "a number", 0, 1)
			if err == nil {
				*at(s) = n == 1
			}
			return err
		},
	}
}

func bit(on bool) int {
	if on {
		return 1
	}
	return 0
}

// duration is a time in whole units, such as time.Second.
func duration(unit clock.Duration, least, most int, at func(s *Stack) *clock.Duration) knob {
	name := map[clock.Duration]string{1e9: "number of seconds", 1e6: "number of milliseconds", 1e3: "number of microseconds"}[unit]
	return quantity(name, least, most,
		func(s *Stack) int { return int(*at(s) / unit) },
		func(s *Stack, n int) { *at(s) = clock.Duration(n) * unit })
}

// quantity is a whole number that is kept somehow.
func quantity(what string, least, most int, get func(s *Stack) int, set func(s *Stack, n int)) knob {
	what = "a " + what
	return knob{
		form: fmt.Sprintf("%s from %d to %d", what, least, most),
		get:  func(s *Stack) string { return strconv.Itoa(get(s)) },
		set: func(s *Stack, value string) error {
			n, err := wholeNumber(value, what, least, most)
			if err == nil {
				set(s, n)
			}
			return err
		},
	}
}

// numbers are so many whole numbers, as min, default and max. check, which may
// be nil, says what is wrong with what they are together.
func numbers(count, least, most int, check func(s *Stack, values []int) error, at func(s *Stack) []*int) knob {
	form := [...]string{1: "a number", 2: "two numbers", 3: "three numbers"}[count]
	return knob{
		form: fmt.Sprintf("%s from %d to %d", form, least, most),
		get: func(s *Stack) string {
			var texts []string
			for _, n := range at(s) {
				texts = append(texts, strconv.Itoa(*n))
			}
			return strings.Join(texts, "\t")
		},
		set: func(s *Stack, value string) error {
			where := at(s)
			values, err := wholeNumbers(value, count, least, most)
			if err == nil && check != nil {
				err = check(s, values)
			}
			if err != nil {
				return err
			}
			for i, n := range values {
				*where[i] = n
			}
			return nil
		},
	}
}

func wholeNumbers(value string, count, least, most int) ([]int, error) {
	fields := strings.Fields(value)
	switch {
	case count == 1:
		n, err := wholeNumber(value, "a number", least, most)
		return []int{n}, err
	case len(fields) != count:
		return nil, fmt.Errorf("%q must be %d numbers with spaces between, not %d", value, count, len(fields))
	}
	values := make([]int, count)
	for i, field := range fields {
		n, err := wholeNumber(field, "a number", least, most)
		if err != nil {
			return nil, err
		}
		values[i] = n
	}
	return values, nil
}

func wholeNumber(value, what string, least, most int) (int, error) {
	n, err := strconv.Atoi(value)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return 0, fmt.Errorf("%q is not %s", value, what)
	case err != nil || n < least || n > most:
		return 0, fmt.Errorf("%s is not %s from %d to %d", value, what, least, most)
	}
	return n, nil
}

// readOnly is what can only be read.
func readOnly(form string, get func(s *Stack) string) knob { return knob{form: form, get: get} }

// oneOf is one of several names.
func oneOf(names []string, at func(s *Stack) *string) knob {
	form := "one of " + strings.Join(names, ", ")
	return knob{
		form: form,
		get:  func(s *Stack) string { return *at(s) },
		set: func(s *Stack, value string) error {
			if !slices.Contains(names, value) {
				return fmt.Errorf("%q: it must be %s", value, form)
			}
			*at(s) = value
			return nil
		},
	}
}
