package customerkey_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// faces are the packages that a request from outside meets first.
var faces = []string{
	"internal/api", "internal/cmdlet", "internal/cmdlet/service", "internal/cmdlet/azure", "internal/cmdlet/operator", "internal/keyvault/rest", "internal/keyvault/arm",
	"internal/keyvault/face", "internal/directory/login", "internal/directory/graph", "internal/directory/identity",
}

// CK-50: whether a user or the service itself asks is told by the caller's token alone. So no
// face makes a caller of its own: what comes in by one is somebody's.
func TestFacesDoNotActAsTheService(t *testing.T) {
	read := 0
	for _, face := range faces {
		files, err := filepath.Glob(filepath.Join(face, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			read++
			set := token.NewFileSet()
			parsed, err := parser.ParseFile(set, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if n != nil && actsAsService(n) {
					t.Errorf("%s: a face acts as the service itself", set.Position(n.Pos()))
				}
				return true
			})
		}
	}
	if read < 50 {
		t.Errorf("only %d files were read", read)
	}
}

// actsAsService reports whether code makes a caller that is the service itself.
func actsAsService(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		return ofDirectory(n, "SystemCaller")
	case *ast.KeyValueExpr:
		return ofDirectory(n.Value, "System")
	case *ast.AssignStmt:
		return slices.ContainsFunc(n.Rhs, func(e ast.Expr) bool { return ofDirectory(e, "System") })
	}
	return false
}

// ofDirectory reports whether an expression is that name of package directory.
func ofDirectory(e ast.Expr, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == "directory"
}
