package envelope_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/customerkey/customerkey/envelope"
)

// Content is sealed under a key of its own, which is kept wrapped under the one above it.
func Example() {
	containerKey, itemKey := envelope.NewKey(), envelope.NewKey()
	wrapped, err := envelope.WrapKey(containerKey, itemKey, envelope.Bind("item key 1", "contoso", "alice", "letter"))
	if err != nil {
		fmt.Println(err)
		return
	}

	var sealed bytes.Buffer
	w, err := envelope.NewWriter(&sealed, itemKey, envelope.Bind("item 1", "contoso", "alice", "letter"))
	if err == nil {
		_, err = io.Copy(w, strings.NewReader("Dear auditor,"))
	}
	if err == nil {
		err = w.Close() // only now is the content whole
	}
	if err != nil {
		fmt.Println(err)
		return
	}

	itemKey, err = envelope.UnwrapKey(containerKey, wrapped, envelope.Bind("item key 1", "contoso", "alice", "letter"))
	if err != nil {
		fmt.Println(err)
		return
	}
	letter, err := envelope.Open(nil, itemKey, envelope.Bind("item 1", "contoso", "alice", "letter"), sealed.Bytes())
	fmt.Println(string(letter), err)
	_, err = envelope.Open(nil, itemKey, envelope.Bind("item 1", "fabrikam", "alice", "letter"), sealed.Bytes())
	fmt.Println(envelope.IsCorrupt(err))
	fmt.Println(itemKey)
	// Output:
	// Dear auditor, <nil>
	// true
	// envelope.Key(redacted)
}
