package script

import (
	"encoding/base64"
	"os/exec"
	"strings"
	"testing"
)

// TestPowerShellParses gives the texts of TestParse to PowerShell's own parser, where there
// is one: it takes each but those with a parameter at the beginning of a line.
func TestPowerShellParses(t *testing.T) {
	t.Parallel()
	pwsh, err := exec.LookPath("pwsh")
	if err != nil {
		t.Skip("there is no pwsh here")
	}
	var texts, encoded []string
	for _, tt := range parsed {
		if strings.Contains(tt.text, "\n-O") || strings.Contains(tt.text, "\n  –") {
			continue
		}
		texts = append(texts, tt.text)
		encoded = append(encoded, "'"+base64.StdEncoding.EncodeToString([]byte(tt.text))+"'")
	}
	program := `foreach ($e in @(` + strings.Join(encoded, ",") + `)) {
		$text = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($e)); $tokens = $null; $errors = $null
		$null = [Management.Automation.Language.Parser]::ParseInput($text, [ref]$tokens, [ref]$errors)
		"line " + ($errors | ForEach-Object { $_.ErrorId })
	}`
	out, err := exec.CommandContext(t.Context(), pwsh, "-NoProfile", "-NonInteractive", "-Command", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(out), "\r\n"), "\n")
	if len(lines) != len(texts) {
		t.Fatalf("%d answers for %d texts", len(lines), len(texts))
	}
	for i, line := range lines {
		if line := strings.TrimSpace(line); line != "line" {
			t.Errorf("PowerShell refuses %q: %s", texts[i], line)
		}
	}
}
