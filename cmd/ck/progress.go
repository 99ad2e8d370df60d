package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/customerkey/customerkey/internal/importer"
)

// A progress shows how far a transfer is, on a terminal; elsewhere it only prints lines.
type progress struct {
	w     io.Writer
	width int   // of the terminal, 0 if there is none
	whole int64 // bytes of input, 0 if unknown
	tally importer.Tally
	start time.Time

	mu   sync.Mutex // one writer at a time
	quit chan struct{}
	done chan struct{}
}

func newProgress(w io.Writer, width int, whole int64) *progress {
	p := &progress{w: w, width: width, whole: whole, start: time.Now(), quit: make(chan struct{}), done: make(chan struct{})}
	if width == 0 {
		close(p.done)
		return p
	}
	go p.run()
	return p
}

func (p *progress) run() {
	defer close(p.done)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.quit:
			return
		case <-tick.C:
			p.mu.Lock()
			fmt.Fprintf(p.w, "\r\x1b[K%s", p.bar(time.Since(p.start)))
			p.mu.Unlock()
		}
	}
}

// line prints a line above the bar.
func (p *progress) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width > 0 {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	tell(p.w, format+"\n", args...)
}

// stop ends the display and clears the bar.
func (p *progress) stop() {
	close(p.quit)
	<-p.done
	if p.width > 0 {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// bar draws one line that fits the terminal.
func (p *progress) bar(elapsed time.Duration) string {
	things := p.tally.Done.Load() + p.tally.Unchanged.Load() + p.tally.Failed.Load()
	rate := int64(float64(p.tally.Bytes.Load()) / max(elapsed.Seconds(), 0.001))
	text := fmt.Sprintf("%d done, %s/s", things, bytesText(rate))
	if p.whole > 0 {
		part := min(float64(p.tally.Weight.Load())/float64(p.whole), 1)
		if part > 0.01 {
			left := time.Duration(float64(elapsed) * (1 - part) / part)
			text += ", " + left.Round(time.Second).String() + " left"
		}
		cells := max(p.width-len(text)-12, 0)
		filled := int(part * float64(cells))
		text = fmt.Sprintf("[%s%s] %3.0f %%  %s", strings.Repeat("#", filled), strings.Repeat(".", cells-filled), part*100, text)
	}
	return text[:min(len(text), max(p.width-1, 0))]
}

// bytesText writes a number of bytes as people read it: "1.4 MB".
func bytesText(n int64) string {
	value, unit := float64(n), 0
	for value >= 999.5 && unit < 4 {
		value, unit = value/1000, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, []string{"B", "kB", "MB", "GB", "TB"}[unit])
}

// count writes "1 message", "2 messages".
func count(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
