//go:build unix

package durable

import (
	"os"
	"syscall"
)

// maxWipe is the longest file that is overwritten, in bytes.
const maxWipe = 1 << 20

// wiper opens the file at path and returns what overwrites its bytes, if no name leads to them
// any more, or leaves them.
func wiper(path string) func(wipe bool) {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return func(bool) {}
	}
	return func(wipe bool) {
		defer file.Close()
		info, err := file.Stat()
		if !wipe || err != nil || !info.Mode().IsRegular() || info.Size() > maxWipe {
			return
		}
		if sys, ok := info.Sys().(*syscall.Stat_t); !ok || sys.Nlink > 0 {
			return
		}
		if _, err := file.WriteAt(make([]byte, info.Size()), 0); err == nil {
			_ = file.Sync() // no promise, see Overwrite
		}
	}
}
