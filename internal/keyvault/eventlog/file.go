package eventlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
)

// A file of records is one JSON object (CK-374), a record on each line:
//
//	{"records":[
//	{…}
//	,{…}
//	]}
//
// Appending overwrites the foot with more records and a new foot, in one write that begins at
// the beginning of a line. A crash in the middle of it leaves a file whose whole lines are
// whole records; who opens it next goes back to the end of the last of them.
const (
	head = "{\"records\":[\n"
	foot = "]}\n"
)

// longestLine bounds a record with its comma and the end of its line.
const longestLine = 64 << 10

// appendRecords adds records to a file, which is mended before if it is torn. Where the disk is
// full the file stays as it was.
func appendRecords(f *os.File, keep func(torn io.Reader) error, records [][]byte) error {
	end, err := mend(f, keep)
	if err != nil {
		return err
	}
	text := head
	if end > 0 {
		text = ","
	}
	text += string(bytes.Join(records, []byte("\n,"))) + "\n" + foot
	if _, err := f.WriteAt([]byte(text), end); err != nil {
		return errors.Join(err, cutOff(f, end))
	}
	return nil
}

// mend returns where the foot of a file begins, 0 for a file without any record, which is
// empty then. Whatever else stands behind the last whole record is handed to keep, and then
// cut off.
func mend(f *os.File, keep func(torn io.Reader) error) (end int64, err error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return 0, err
	}
	if end := size - int64(len(foot)); end > int64(len(head)) {
		tail := make([]byte, len(foot))
		if _, err := f.ReadAt(tail, end); err != nil || string(tail) == foot {
			return end, err
		}
	}
	if end, err = wholeRecords(f); err != nil {
		return 0, err
	}
	if size-end > int64(len(foot)) { // more than a foot
		if err := keep(io.NewSectionReader(f, end, size-end)); err != nil {
			return 0, err
		}
	}
	return end, cutOff(f, end)
}

// wholeRecords returns where the last whole record ends that follows on whole ones only, 0 if
// there is none.
func wholeRecords(f *os.File) (end int64, err error) {
	lines := bufio.NewScanner(io.NewSectionReader(f, 0, 1<<62))
	lines.Buffer(nil, longestLine)
	lines.Split(wholeLines)
	if !lines.Scan() || string(lines.Bytes()) != head {
		return 0, nil
	}
	for at := int64(len(head)); lines.Scan(); end = at {
		line := lines.Bytes()
		at += int64(len(line))
		if end > 0 && line[0] != ',' {
			return end, nil
		}
		if end > 0 {
			line = line[1:]
		}
		if line[0] != '{' || !json.Valid(line) {
			return end, nil
		}
	}
	if err := lines.Err(); !errors.Is(err, bufio.ErrTooLong) { // a line too long is no record
		return end, err
	}
	return end, nil
}

// wholeLines is a bufio.SplitFunc of lines with their ends; what has no end is no line.
func wholeLines(data []byte, _ bool) (advance int, token []byte, err error) {
	i := bytes.IndexByte(data, '\n') + 1
	if i == 0 {
		return 0, nil, nil
	}
	return i, data[:i], nil
}

// cutOff leaves the records before end and a foot.
func cutOff(f *os.File, end int64) error {
	if err := f.Truncate(end); err != nil || end == 0 {
		return err
	}
	_, err := f.WriteAt([]byte(foot), end)
	return err
}
