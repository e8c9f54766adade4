package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"

	"hubbub/bench/contestants"
	"hubbub/bench/workloads"
)

// The plot's measures, in pixels.
const (
	margin     = 24
	gap        = 36 // between the columns
	panelWide  = 560
	labelWide  = 226
	valueWide  = 84
	rowHigh    = 19
	titleHigh  = 42
	axisHigh   = 30
	headHigh   = 74
	plotWide   = 2*margin + 2*panelWide + gap
	axisBegin  = labelWide + 10
	numberWide = 58 // at the axis, with some space
	axisEnd    = panelWide - valueWide - 10
)

// style has two sets of colours: the reader's browser says which he wants.
const style = `
text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: var(--text) }
.title { font-weight: 600; font-size: 13px }
.big { font-weight: 600; font-size: 18px }
.faint { fill: var(--faint); font-size: 11px }
.grid { stroke: var(--grid) }
.lead { stroke: var(--grid); stroke-dasharray: 1 3 }
.hubbub { fill: var(--hubbub); stroke: var(--hubbub) }
.gvisor { fill: var(--gvisor); stroke: var(--gvisor) }
.linux { fill: var(--linux); stroke: var(--linux) }
.other { fill: var(--other); stroke: var(--other) }
text.hubbub { stroke: none; font-weight: 600 }
svg { --back: #ffffff; --text: #1d2430; --faint: #5a6475; --grid: #d7dce4;
  --hubbub: #1457c8; --gvisor: #b4530a; --linux: #1f7a3d; --other: #5a6475 }
@media (prefers-color-scheme: dark) { svg { --back: #12161d; --text: #e6eaf1; --faint: #a3adbd; --grid: #333b48;
  --hubbub: #74a9ff; --gvisor: #f0a35c; --linux: #6fcf8e; --other: #a3adbd } }
`

// Plot draws a panel for each workload: its first metric, a point for each
// contestant's median and a line from the least to the greatest. The axes are
// logarithmic, because what is compared differs by a factor of a hundred.
func (r *Report) Plot(w io.Writer) error {
	var columns [2]strings.Builder
	high := [2]int{headHigh, headHigh}
	for _, x := range r.workloads() {
		p, ok := r.panel(x)
		if !ok || len(p.rows) < 2 {
			continue // nothing to compare
		}
		at := 0
		if high[1] < high[0] {
			at = 1
		}
		fmt.Fprintf(&columns[at], "<g transform=\"translate(%d %d)\">\n", margin+at*(panelWide+gap), high[at])
		p.draw(&columns[at])
		columns[at].WriteString("</g>\n")
		high[at] += p.high() + 20
	}
	whole := max(high[0], high[1]) + margin
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">
<title>hubbub beside what a program would use instead</title>
<style>%s</style>
<rect width="100%%" height="100%%" style="fill: var(--back)"/>
<text class="big" x="%d" y="34">hubbub beside what a program would use instead</text>
<text class="faint" x="%d" y="54">%s Points: medians of %d; lines: from the least to the greatest. Logarithmic.</text>
%s%s</svg>
`, plotWide, whole, plotWide, whole, style, margin, margin, escape(r.Machine.short()), r.Settings.Rounds,
		columns[0].String(), columns[1].String())
	return err
}

// short describes the machine in half a line.
func (m Machine) short() string {
	return fmt.Sprintf("%s; %d processors (%s), %s, %s.", m.Date, m.Processors, m.Processor, m.Kernel, m.Go)
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder never fails
	return b.String()
}

// A panel is one workload's part of the plot.
type panel struct {
	title  string
	metric workloads.Metric
	rows   []plotRow
	from   float64 // the decade at which the axis begins
	to     float64 // and the one at which it ends
}

type plotRow struct {
	contestant *contestants.Contestant
	spread     Spread
}

// panel returns the workload's panel, and whether there is anything above zero
// to be shown in it.
func (r *Report) panel(w *workloads.Workload) (panel, bool) {
	p := panel{title: w.Title, metric: w.Metrics[0], from: math.Inf(1), to: math.Inf(-1)}
	for _, c := range r.contestants(w) {
		s, ok := r.Spread(w.Name, c.Name, p.metric.Name)
		if !ok || s.Min <= 0 {
			continue
		}
		p.rows = append(p.rows, plotRow{c, s})
		p.from = min(p.from, math.Floor(math.Log10(s.Min)))
		p.to = max(p.to, math.Ceil(math.Log10(s.Max)))
	}
	if p.to == p.from {
		p.to++
	}
	return p, len(p.rows) > 0
}

func (p *panel) high() int { return titleHigh + len(p.rows)*rowHigh + axisHigh }

// x is a value's place on the axis.
func (p *panel) x(v float64) float64 {
	return axisBegin + (math.Log10(v)-p.from)/(p.to-p.from)*(axisEnd-axisBegin)
}

func (p *panel) draw(w io.Writer) {
	better := "less is better"
	if p.metric.More {
		better = "more is better"
	}
	fmt.Fprintf(w, "<text class=\"title\" y=\"13\">%s</text>\n", escape(p.title))
	fmt.Fprintf(w, "<text class=\"faint\" y=\"30\">%s: %s</text>\n", escape(label(p.metric)), better)
	bottom := titleHigh + len(p.rows)*rowHigh
	apart := 1 // decades from one number to the next
	for float64(apart)*(axisEnd-axisBegin)/(p.to-p.from) < numberWide {
		apart++
	}
	for d := p.from; d <= p.to; d++ {
		x := p.x(math.Pow(10, d))
		fmt.Fprintf(w, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n", x, x, titleHigh, bottom)
		if int(p.to-d)%apart != 0 {
			continue
		}
		fmt.Fprintf(w, "<text class=\"faint\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">%s</text>\n", x, bottom+15, decade(d))
	}
	for i, row := range p.rows {
		p.drawRow(w, row, titleHigh+i*rowHigh+rowHigh/2)
	}
}

func (p *panel) drawRow(w io.Writer, row plotRow, y int) {
	class := family(row.contestant.Name)
	x, left, right := p.x(row.spread.Median), p.x(row.spread.Min), p.x(row.spread.Max)
	fmt.Fprintf(w, "<text class=\"%s\" style=\"stroke: none\" text-anchor=\"end\" x=\"%d\" y=\"%d\">%s</text>\n",
		class, labelWide, y+4, escape(row.contestant.Title))
	fmt.Fprintf(w, "<line class=\"lead\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", axisBegin, axisEnd, y, y)
	fmt.Fprintf(w, "<line class=\"%s\" stroke-width=\"3\" stroke-opacity=\"0.45\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n",
		class, left, right, y, y)
	fmt.Fprintf(w, "<circle class=\"%s\" r=\"4\" cx=\"%.1f\" cy=\"%d\"/>\n", class, x, y)
	fmt.Fprintf(w, "<text class=\"%s\" style=\"stroke: none\" text-anchor=\"end\" x=\"%d\" y=\"%d\">%s</text>\n",
		class, panelWide, y+4, number(row.spread.Median, p.metric.Digits))
}

// family is the class of a contestant's colour.
func family(name string) string {
	for _, f := range []string{"hubbub", "gvisor", "linux"} {
		if strings.HasPrefix(name, f) {
			return f
		}
	}
	return "other"
}

// decade writes a power of ten.
func decade(d float64) string {
	if d < 0 {
		return number(math.Pow(10, d), int(-d))
	}
	return number(math.Pow(10, d), 0)
}
