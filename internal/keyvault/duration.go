package keyvault

import (
	"regexp"
	"strconv"
	"time"
)

// A duration is one of the calendar: a month is not a number of days.
type duration struct{ years, months, days int }

// isoDuration is ISO 8601 without a time of day: "P2Y", "P18M", "P1Y6M", "P4W", "P90D". The bounds
// keep every sum below 1000 years.
var isoDuration = regexp.MustCompile(`^P(?:(\d{1,2})Y)?(?:(\d{1,3})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?$`)

func parseDuration(s string) (d duration, ok bool) {
	m := isoDuration.FindStringSubmatch(s)
	if m == nil || s == "P" {
		return d, false
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n } // digits, or "" for 0
	return duration{number(m[1]), number(m[2]), 7*number(m[3]) + number(m[4])}, true
}

// after returns t and d.
func (d duration) after(t time.Time) time.Time { return t.AddDate(d.years, d.months, d.days) }

// before returns d before t.
func (d duration) before(t time.Time) time.Time { return t.AddDate(-d.years, -d.months, -d.days) }

// atLeast is how many days d is, counted in the shortest months and years.
func (d duration) atLeast() int {
	start := time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC) // of 28 days, in a year of 365
	return int(d.after(start).Sub(start) / (24 * time.Hour))
}
