package lab

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The functions of this file read values with units. Their errors continue a
// sentence that began with the value's key.

// maxDuration bounds what a lab waits for: a hundred years of its time.
const maxDuration = 100 * 365 * 24 * time.Hour

// parseDuration reads a time such as 10ms, 75s or 2h11m.
func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err == nil && d >= 0 && d <= maxDuration && (d > 0 || !digits(s)):
		return d, nil
	case err == nil && d < 0:
		return 0, fmt.Errorf("%q is a time before now; write one such as 10ms, 75s or 2h11m", s)
	case digits(s):
		return 0, fmt.Errorf("%q has no unit; write %sms, %ss, %sm or %sh", s, s, s, s, s)
	}
	return 0, fmt.Errorf("%q is not a time such as 10ms, 75s or 2h11m", s)
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.") == ""
}

// number splits a quantity into its number and its unit.
func number(s string) (value float64, unit string, ok bool) {
	end := len(s) - len(strings.TrimLeft(s, "0123456789."))
	value, err := strconv.ParseFloat(s[:end], 64)
	return value, strings.TrimSpace(s[end:]), err == nil
}

var rateUnits = map[string]float64{"bit/s": 1, "kbit/s": 1e3, "Mbit/s": 1e6, "Gbit/s": 1e9}

// parseRate reads a rate such as 100Mbit/s, in bit/s.
func parseRate(s string) (int64, error) {
	value, unit, ok := number(s)
	factor, known := rateUnits[unit]
	rate := value * factor
	switch {
	case !ok || !known:
		return 0, fmt.Errorf("%q is not a rate such as 100Mbit/s; the units are bit/s, kbit/s, Mbit/s and Gbit/s", s)
	case rate < 1 || rate > 1e15:
		return 0, fmt.Errorf("%q is not between 1bit/s and 1000000Gbit/s", s)
	}
	return int64(rate), nil
}

// parsePercent reads a share such as 5%, as a number from 0 to 1.
func parsePercent(s string) (float64, error) {
	value, unit, ok := number(s)
	switch {
	case ok && unit == "":
		return 0, fmt.Errorf("%q has no unit; write a share such as 5%%", s)
	case !ok || unit != "%":
		return 0, fmt.Errorf("%q is not a share such as 5%%", s)
	case value > 100:
		return 0, fmt.Errorf("%q is more than 100%%", s)
	}
	return value / 100, nil
}

var sizeUnits = map[string]float64{"": 1, "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

// parseSize reads a number of bytes, such as 1500, 100kB or 1MiB.
func parseSize(s string) (int64, error) {
	value, unit, ok := number(s)
	factor, known := sizeUnits[unit]
	size := value * factor
	switch {
	case !ok || !known:
		return 0, fmt.Errorf("%q is not a size such as 1500, 100kB or 1MiB", s)
	case size != float64(int64(size)) || size > 1<<40:
		return 0, fmt.Errorf("%q is not a whole number of bytes up to 1 TiB", s)
	}
	return int64(size), nil
}

// parseCount reads a whole number between two bounds.
func parseCount(s string, least, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%q is not a whole number", s)
	}
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s is not between %d and %d", s, least, most)
	}
	return n, nil
}

// parseBool reads true or false.
func parseBool(s string) (bool, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", s)
}
