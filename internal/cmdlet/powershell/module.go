package powershell

import (
	_ "embed" // the hand-written part
	"fmt"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

//go:embed runtime.psm1
var runtime string

// moduleID names the module for PowerShell, in all its versions.
const moduleID = "6c1d3f52-0f0d-4a55-9a2e-2f6d1f2b8c47"

// A Module is what is to be written.
type Module struct {
	Table   []cmdlet.Cmdlet // rows of other sides than the service's are passed over
	Views   []cmdlet.View
	Version string // of the module: three numbers with points between them
	Client  string // id of the app that signs people in
}

// rows returns the commands that the module has.
func (m Module) rows() []cmdlet.Cmdlet {
	return slices.DeleteFunc(slices.Clone(m.Table), func(c cmdlet.Cmdlet) bool { return c.Side != cmdlet.Service })
}

// Script returns CustomerKey.psm1.
func (m Module) Script() string {
	var b strings.Builder
	b.WriteString(header)
	fmt.Fprintf(&b, "$script:ClientId = %s\n", quote(m.Client))
	b.WriteString(runtime)
	for _, c := range m.rows() {
		b.WriteString("\n" + function(c))
	}
	b.WriteString("\n" + m.displays())
	fmt.Fprintf(&b, "\nExport-ModuleMember -Function %s\n", quoteAll(m.names()))
	return b.String()
}

const header = `# The commands of customerkey for PowerShell 7.3 and later. Written by: ck powershell-module
#
# Each function sends its parameters to the service's admin endpoint, which decides and does
# everything; the commands that you may not run answer that they do not exist. The commands on
# vaults and keys are those of the module Az, pointed at the service's addresses.
#
# This text was made by a program and NOT executed where that program is tested, for there is no
# PowerShell there. Its requests were held against the endpoint. Tell us what does not work.

`

// Manifest returns CustomerKey.psd1.
func (m Module) Manifest() string {
	return fmt.Sprintf(`@{
    RootModule           = 'CustomerKey.psm1'
    ModuleVersion        = %s
    GUID                 = '%s'
    Author               = 'The customerkey authors'
    Description          = 'Data encryption policies, key health, recovery and purges of a customerkey service.'
    PowerShellVersion    = '7.3'
    CompatiblePSEditions = @('Core')
    FunctionsToExport    = @(%s)
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
}
`, quote(m.Version), moduleID, quoteAll(m.names()))
}

func (m Module) names() []string {
	names := []string{"Connect-CustomerKey", "Disconnect-CustomerKey"}
	for _, c := range m.rows() {
		names = append(names, c.Name)
	}
	return names
}

// displays says which properties a table shows of objects that are many by nature.
func (m Module) displays() string {
	var b strings.Builder
	for _, v := range m.Views {
		if !slices.ContainsFunc(m.rows(), func(c cmdlet.Cmdlet) bool { return c.Output == v.Type }) || len(v.Table) == 0 {
			continue
		}
		var names []string
		for _, c := range v.Table[:min(len(v.Table), 5)] {
			names = append(names, c.Property)
		}
		fmt.Fprintf(&b, "Update-TypeData -TypeName %s -DefaultDisplayPropertySet %s -Force\n", quote("CustomerKey."+v.Type), quoteAll(names))
	}
	return b.String()
}
