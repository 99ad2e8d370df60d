package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
)

// pieceSize is long enough that random bytes never hold a piece by chance.
const pieceSize = 24

// pieces are short parts of many files, to be looked for in a heap of bytes quickly.
type pieces struct {
	byHead map[uint64][][]byte // by their first eight bytes
	seen   [1 << 16]bool       // first two bytes of any piece: most places are passed over by this alone
	count  int
}

// addFile takes pieces from the start, the middle and the end of a file. Pieces of few
// different bytes (padding, blank lines) are left out: they stand in any file.
func (p *pieces) addFile(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, at := range []int{0, len(content)/2 - pieceSize/2, len(content) - pieceSize} {
		if at >= 0 && at+pieceSize <= len(content) {
			p.add(content[at : at+pieceSize])
		}
	}
	return nil
}

func (p *pieces) add(piece []byte) {
	different := map[byte]bool{}
	for _, b := range piece {
		different[b] = true
	}
	if len(different) < 8 {
		return
	}
	if p.byHead == nil {
		p.byHead = map[uint64][][]byte{}
	}
	head := binary.LittleEndian.Uint64(piece)
	p.byHead[head] = append(p.byHead[head], bytes.Clone(piece))
	p.seen[binary.LittleEndian.Uint16(piece)] = true
	p.count++
}

// drop forgets the pieces that stand in content.
func (p *pieces) drop(content []byte) {
	for found := p.find(content); found != ""; found = p.find(content) {
		head := binary.LittleEndian.Uint64([]byte(found))
		for i, piece := range p.byHead[head] {
			if string(piece) == found {
				p.byHead[head] = append(p.byHead[head][:i], p.byHead[head][i+1:]...)
				p.count--
				break
			}
		}
	}
}

// find returns a piece that stands in content, "" if none does.
func (p *pieces) find(content []byte) string {
	for at := 0; at+pieceSize <= len(content); at++ {
		if !p.seen[binary.LittleEndian.Uint16(content[at:])] {
			continue
		}
		for _, piece := range p.byHead[binary.LittleEndian.Uint64(content[at:])] {
			if bytes.HasPrefix(content[at:], piece) {
				return string(piece)
			}
		}
	}
	return ""
}

func TestPiecesFindWhatIsThere(t *testing.T) {
	file := t.TempDir() + "/needle"
	if err := os.WriteFile(file, []byte("the quick brown fox jumps over the lazy dog, twice a day"), 0o600); err != nil {
		t.Fatal(err)
	}
	var p pieces
	if err := p.addFile(file); err != nil || p.count != 3 {
		t.Fatalf("%d pieces, %v", p.count, err)
	}
	hay := bytes.Repeat([]byte("ordinary text without an animal "), 1000)
	if found := p.find(hay); found != "" {
		t.Errorf("found %q where nothing is", found)
	}
	hay = append(hay, "dog, twice a day"...)
	if found := p.find(hay); found != "" {
		t.Errorf("found %q where only a part is", found)
	}
	hay = append(hay, "he lazy dog, twice a day"...)
	if found := p.find(hay); found == "" {
		t.Error("a piece that is there was not found")
	}
}
