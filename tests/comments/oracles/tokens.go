// Prints, for each path on standard input, what Go's own scanner and parser read in that file, and what its tools read in comments.
package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/doc"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"strings"
)

func digest(path string) string {
	source, err := os.ReadFile(path)
	if err != nil {
		return "-"
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, source, parser.ParseComments)
	if err != nil {
		return "-"
	}
	hash := sha256.New()
	var tokens scanner.Scanner
	own := token.NewFileSet()
	tokens.Init(own.AddFile(path, own.Base(), len(source)), source, nil, 0)
	for {
		_, kind, text := tokens.Scan()
		if kind == token.EOF {
			break
		}
		fmt.Fprintf(hash, "%d %q ", kind, text)
	}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			early := comment.Pos() < file.Package
			if strings.HasPrefix(comment.Text, "//go:") || strings.HasPrefix(comment.Text, "//export ") ||
				(early && (constraint.IsGoBuild(comment.Text) || constraint.IsPlusBuild(comment.Text))) {
				fmt.Fprintf(hash, "read %q ", comment.Text)
			}
		}
	}
	for _, declaration := range file.Decls {
		imports, ok := declaration.(*ast.GenDecl)
		if !ok || imports.Tok != token.IMPORT {
			continue
		}
		for _, each := range imports.Specs {
			spec := each.(*ast.ImportSpec)
			if spec.Path.Value == `"C"` {
				fmt.Fprintf(hash, "cgo %q %q ", imports.Doc.Text(), spec.Doc.Text())
			}
		}
	}
	for _, example := range doc.Examples(file) {
		fmt.Fprintf(hash, "example %q %t ", example.Output, example.Unordered)
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		fmt.Println(digest(in.Text()))
	}
}
