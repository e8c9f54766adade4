package congestion

// Default is the algorithm of connections that don't ask for another.
const Default = "cubic"

// algorithms are all that there are, in the order of their numbers.
var algorithms = []struct {
	name  string
	make  func() Control
	model bool // it makes a Model
}{
	{"cubic", func() Control { return new(cubic) }, false},
	{"reno", func() Control { return new(reno) }, false},
	{"bbr", func() Control { return new(bbr) }, true},
}

// Names returns the names of all algorithms, the default first.
func Names() []string {
	names := make([]string, len(algorithms))
	for i, a := range algorithms {
		names[i] = a.name
	}
	return names
}

// Number returns the number by which an algorithm is remembered in one octet,
// and false if there is none of that name.
func Number(name string) (uint8, bool) {
	for i := range algorithms {
		if algorithms[i].name == name {
			return uint8(i), true
		}
	}
	return 0, false
}

// New returns an algorithm that is about to begin, by its number.
func New(number uint8) Control { return algorithms[number].make() }

// HasModel reports whether an algorithm is a [Model]. It is asked before each
// segment of a connection that has no control yet.
func HasModel(number uint8) bool { return algorithms[number].model }

// Name returns the name of an algorithm by its number.
func Name(number uint8) string { return algorithms[number].name }
