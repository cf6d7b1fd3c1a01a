package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// exported lists what the packages in a folder of the repository export, sorted: a line per constant,
// variable, function, method, type, field and interface method.
func exported(repository, folder string) (lines []string, err error) {
	root := filepath.Join(repository, filepath.FromSlash(folder))
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && outside(path, d.Name()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil || file.Name.Name == "main" {
			return err
		}
		folder, err := filepath.Rel(repository, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, declaration := range declarations(file) {
			lines = append(lines, filepath.ToSlash(folder)+": "+declaration)
		}
		return nil
	})
	slices.Sort(lines)
	return slices.Compact(lines), err
}

// outside reports whether a folder is a nested module or cannot be imported by other modules.
func outside(path, name string) bool {
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil || name == "internal" || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func declarations(file *ast.File) (lines []string) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(base(d.Recv.List[0].Type))) {
				lines = append(lines, text(&ast.FuncDecl{Recv: d.Recv, Name: d.Name, Type: d.Type}))
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.ValueSpec: // values are not part of the listing: a default may change
					for _, name := range s.Names {
						if name.IsExported() {
							lines = append(lines, d.Tok.String()+" "+name.Name)
						}
					}
				case *ast.TypeSpec:
					if s.Name.IsExported() {
						lines = append(lines, typeLines(s)...)
					}
				}
			}
		}
	}
	return lines
}

// typeLines returns one line for the type and one for each exported field or method in its
// declaration, so that adding one changes no other line.
func typeLines(s *ast.TypeSpec) (lines []string) {
	name := "type " + s.Name.Name
	if s.TypeParams != nil {
		name += strings.TrimPrefix(text(&ast.FuncType{TypeParams: s.TypeParams, Params: &ast.FieldList{}}), "func")
		name = strings.TrimSuffix(name, "()")
	}
	members := func(kind string, list *ast.FieldList) {
		lines = append(lines, name+" "+kind)
		for _, f := range list.List {
			if len(f.Names) == 0 {
				lines = append(lines, name+" "+kind+", "+text(f.Type))
			}
			for _, n := range f.Names {
				if n.IsExported() {
					lines = append(lines, name+" "+kind+", "+n.Name+" "+text(f.Type))
				}
			}
		}
	}
	switch t := s.Type.(type) {
	case *ast.StructType:
		members("struct", t.Fields)
	case *ast.InterfaceType:
		members("interface", t.Methods)
	default:
		equals := " "
		if s.Assign.IsValid() {
			equals = " = "
		}
		lines = append(lines, name+equals+text(t))
	}
	return lines
}

// base is the name of a receiver's type.
func base(x ast.Expr) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(text(x), "*"), "[")
	return name
}

// text prints a node in one line, without the names of parameters: no caller uses them.
func text(node ast.Node) string {
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			unname(n.Recv)
		case *ast.FuncType:
			unname(n.Params)
			unname(n.Results)
		}
		return true
	})
	var b bytes.Buffer
	_ = printer.Fprint(&b, token.NewFileSet(), node) // into memory
	return strings.Join(strings.Fields(b.String()), " ")
}

func unname(list *ast.FieldList) {
	if list == nil {
		return
	}
	var fields []*ast.Field
	for _, f := range list.List {
		for range max(1, len(f.Names)) {
			fields = append(fields, &ast.Field{Type: f.Type})
		}
	}
	list.List = fields
}
