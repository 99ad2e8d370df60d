package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdCutWhile runs a command, and cuts the server's power once the command has written a line. The
// command must fail by itself then; what it wrote is in cut.out and cut.err.
func cmdCutWhile(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || neg {
		ts.Fatalf("usage: cut-while COMMAND ...")
	}
	path, err := exec.LookPath(args[0])
	ts.Check(err)
	var errs strings.Builder
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stderr = ts.MkAbs("."), scriptEnv(ts), &errs
	pipe, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	out := bufio.NewReader(pipe)
	first, err := out.ReadString('\n')
	ts.Check(err)
	ts.Value(serverKey{}).(*scriptServer).kill()
	rest, err := io.ReadAll(out)
	ts.Check(err)
	var failed *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &failed) || !failed.Exited() {
		ts.Fatalf("without its server the command ended so: %v\n%s", err, errs.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs("cut.out"), []byte(first+string(rest)), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("cut.err"), []byte(errs.String()), 0o600))
}
