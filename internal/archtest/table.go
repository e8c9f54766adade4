// Package archtest keeps the tree's shape: who may import whom, what the pure
// machines must not touch, how long a function or a file may be. Its test reads
// every Go file of the module and fails with one sentence per violation.
//
// To add a package: if no row of the table below fits it, add one. To add a
// rule: a function from a file to its violations, a line in checks, and a test
// with a source that breaks the rule.
package archtest

// row says what the packages that fit a pattern may import. A pattern is a
// directory, or "dir/..." for it and everything below; "." is the root package.
// The first row that fits counts, and the standard library is free to all
// (except what purity.go forbids the pure machines).
type row struct {
	packages string
	imports  string // packages of this module
	modules  string // other modules
	tests    string // what its tests may import besides the row's imports, internal/... and any other module
}

// The layers, from below. Each word stands for the one before and what is new.
const (
	leaf    = "clock wire internal/..."
	machine = leaf + " event link/... network/... transport/..."
	world   = machine + " stack sim socket"
	face    = world + " . capture/..."
)

// table is the whole architecture: imports point down only.
var table = []row{
	{packages: "clock"},
	{packages: "wire"},
	{packages: "internal/...", imports: leaf},
	{packages: "event", imports: "clock wire"},

	// The pure machines never import each other.
	{packages: "link/...", imports: leaf},
	{packages: "network/...", imports: leaf},
	{packages: "transport/...", imports: leaf + " transport/tcp/congestion"}, // which is a part of tcp

	{packages: "stack", imports: machine},
	{packages: "sim", imports: leaf + " event link/... stack"},
	{packages: "socket", imports: leaf + " event transport/... stack sim", tests: "."}, // a network is made by the root
	{packages: "capture/...", imports: leaf + " event", tests: "."},
	{packages: ".", imports: world, tests: "capture/... application/..."},

	// Services take standard net interfaces, which proves that ours fit them.
	{packages: "application/...", modules: "golang.org/x/net/dns/dnsmessage", tests: "."},

	{packages: "lab/...", imports: face + " lab/... application/...", modules: "github.com/goccy/go-yaml"},
	{packages: "edge/...", imports: face + " edge/...", modules: "golang.org/x/sys"},
	{packages: "guest/...", imports: face + " guest/...", modules: "golang.org/x/sys"},
	{packages: "web/...", imports: face + " lab/... edge/... web/...", modules: "github.com/coder/websocket"},
	{packages: "cmd/...", imports: face + " lab/... application/... edge/... guest/... web/...", modules: "github.com/alecthomas/kong"},

	// Nothing imports these.
	{packages: "interop/...", imports: face + " lab/... application/... edge/... guest/... interop/...", modules: "golang.org/x/sys"},
	{packages: "examples/...", imports: face + " lab/... application/..."},
}

// The packages that further rules are about.
const (
	pure = "link/... network/... transport/... stack"
	core = "clock wire event internal/... " + pure + " socket capture/... ."
)

const (
	maxFunctionLines = 80
	maxFileLines     = 500
)
