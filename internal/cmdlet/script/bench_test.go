package script

import (
	"strings"
	"testing"
)

// BenchmarkParse reads scripts of the largest size, each made of one thing: ns/B stays far
// from anything that grows with the length.
func BenchmarkParse(b *testing.B) {
	for _, shape := range []struct{ name, part string }{
		{"commands", "Set-Mailbox -Identity alice@contoso.example -DataEncryptionPolicy Contoso_Global\n"},
		{"pipelines", "Get-Mailbox | ? { $_.Name -like 'a*' } | % { Set-Mailbox $_.Id -Name \"new $($_.Name)\" }\n"},
		{"statements", "a;"},
		{"variables", "$a;"},
		{"words", "a "},
		{"list", "a,"},
		{"spaces", " "},
		{"newlines", "\n"},
		{"comments", "#\n"},
		{"prompts", "(PS a),"},
		{"blocks", "{{{{a\n\n\n\n}}}},"},
		{"tables", "@{a=1},"},
		{"text", `"a$b$(c)"`},
		{"open quote", `"`},
		{"open bracket", "{a;"},
	} {
		for _, size := range []int{MaxText / 16, MaxText} {
			text := strings.Repeat(shape.part, size/len(shape.part))
			b.Run(shape.name+"/"+map[bool]string{true: "64KiB", false: "1MiB"}[size < MaxText], func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					s, err := Parse(text)
					_, _ = s, err // a refusal is a result too
				}
			})
		}
	}
}

// BenchmarkPipeline passes 50,000 mailboxes through a filter and a calculated property.
func BenchmarkPipeline(b *testing.B) {
	w := newWorld(b, nil)
	w.c.Out, w.runner.many = discard{}, 50_000
	b.ReportAllocs()
	for b.Loop() {
		if out, err := w.do(b, "Get-Mailbox | Where-Object { $_.Name -like 'user*' -and $_.Licensed } | Format-Table Name, @{n='P'; e={ $_.DataEncryptionPolicy }}"); err != nil {
			b.Fatal(out)
		}
	}
}
