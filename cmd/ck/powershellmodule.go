package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/customerkey/customerkey/internal/cmdlet/powershell"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/durable"
	"github.com/customerkey/customerkey/internal/fault"
)

// moduleVersion is what PowerShell is told; raise it with what the module's commands take.
const moduleVersion = "0.1.0"

// powershellModule writes the service's commands for real PowerShell, which has the loops and
// functions that the language of ck leaves out.
func (c *command) powershellModule(_ context.Context, args []string) error {
	set := c.flags("powershell-module", "[--out FOLDER]")
	out := set.String("out", "CustomerKey", "folder to write CustomerKey.psd1 and CustomerKey.psm1 to; its last part has to be CustomerKey")
	force := set.Bool("force", false, "write over a module that is there")
	if err := c.parseFlags(set, args); err != nil {
		return err
	}
	if filepath.Base(*out) != "CustomerKey" {
		return fault.New(fault.Invalid, "the folder %q is not called CustomerKey", *out).WithHint("PowerShell finds a module by its folder's name: use --out %s", filepath.Join(*out, "CustomerKey"))
	}
	m := powershell.Module{Table: rows.Table(), Views: rows.Views(), Version: moduleVersion, Client: directory.CommandLineApp}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folder %s cannot be made", *out)
	}
	write := durable.Create
	if *force {
		write = durable.Write
	}
	for _, file := range []struct{ name, text string }{{"CustomerKey.psm1", m.Script()}, {"CustomerKey.psd1", m.Manifest()}} {
		path := filepath.Join(*out, file.name)
		switch err := write(path, []byte(file.text)); {
		case errors.Is(err, fs.ErrExist):
			return fault.New(fault.Conflict, "the file %s exists already", path).WithHint("write over it with --force")
		case err != nil:
			return fault.Wrap(fault.Unavailable, err, "the file %s cannot be written", path)
		}
	}
	fmt.Fprintf(c.out, "The module is in %s. In PowerShell 7.3 or later:\n\n  Import-Module ./%s\n", *out, filepath.ToSlash(*out))
	fmt.Fprintln(c.out, "  Connect-CustomerKey -Domain DOMAIN -Organization ORGANIZATION -CertificateAuthorityFile FILE")
	return nil
}
