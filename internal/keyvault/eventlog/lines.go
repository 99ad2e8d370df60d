package eventlog

import (
	"bytes"
	"encoding/json"
	"io"
)

// lines writes each record as one line.
type lines struct{ w io.Writer }

func (l lines) write(batch []Record) (lost int, err error) {
	var text bytes.Buffer
	for _, r := range batch {
		line, err := json.Marshal(r)
		if err != nil {
			return len(batch), err
		}
		text.Write(line)
		text.WriteByte('\n')
	}
	if _, err := l.w.Write(text.Bytes()); err != nil {
		return len(batch), err
	}
	return 0, nil
}
