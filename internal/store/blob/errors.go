package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/customerkey/customerkey/internal/fault"
)

// explain turns an error of the file system into fault.Unavailable with a hint. The cause
// holds paths and is for the log.
func explain(err error, doing string) error {
	if err == nil {
		return nil
	}
	cause := fmt.Errorf("%s: %w", doing, err)
	switch {
	case isAny(err, syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG):
		return fault.Wrap(fault.Unavailable, cause, "the disk is full").
			WithHint("free space where the data folder lives, then try again; nothing was half written")
	case errors.Is(err, fs.ErrPermission), isAny(err, syscall.EROFS):
		return fault.Wrap(fault.Unavailable, cause, "the blob folder cannot be written").
			WithHint("check owner and permissions of the data folder, and that its file system is not mounted read-only and knows hard links")
	case isAny(err, syscall.EMFILE, syscall.ENFILE):
		return fault.Wrap(fault.Unavailable, cause, "too many files are open").
			WithHint("try again later, or raise the limit of open files")
	}
	return fault.Wrap(fault.Unavailable, cause, "the disk failed to read or write").
		WithHint("check the disk under the data folder, then try again")
}

func isAny(err error, codes ...syscall.Errno) bool {
	for _, code := range codes {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}
