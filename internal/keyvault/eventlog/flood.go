package eventlog

import (
	"net/http"
	"sync"
	"time"
)

// floods keeps requests that cost their sender nothing, those without a valid token and those
// that were throttled, from filling the disk. Of each vault and minute so many have a record;
// the others are counted in one more, the last of them.
type floods struct {
	mu     sync.Mutex
	minute time.Time
	vaults map[vault]*flood
}

type vault struct{ tenant, resource string }

type flood struct {
	records int
	others  int
	last    Record
}

// floodRecords is how many such records a vault has in a minute.
const floodRecords = 100

func newFloods() *floods { return &floods{vaults: map[vault]*flood{}} }

// admit returns the records to be written now that r came: mostly r.
func (f *floods) admit(r Record, now time.Time) []Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Record
	if minute := now.Truncate(time.Minute); !minute.Equal(f.minute) {
		out = f.settle()
		f.minute = minute
	}
	if r.Properties.Status != http.StatusUnauthorized && r.Properties.Status != http.StatusTooManyRequests {
		return append(out, r)
	}
	v := vault{r.Tenant, r.Resource}
	c := f.vaults[v]
	if c == nil {
		c = &flood{}
		f.vaults[v] = c
	}
	if c.records < floodRecords {
		c.records++
		return append(out, r)
	}
	c.others++
	c.last = r
	return out
}

// rest returns the records that tell of the requests which had none.
func (f *floods) rest() []Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.settle()
}

func (f *floods) settle() []Record {
	var out []Record
	for _, c := range f.vaults {
		if c.others > 0 {
			c.last.Properties.Others = c.others - 1
			out = append(out, c.last)
		}
	}
	clear(f.vaults)
	return out
}
