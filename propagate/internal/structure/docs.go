package main

import (
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/token"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// longSentence is the number of words from which a sentence of a doc comment is hard to read.
const longSentence = 31

// documentation counts the exported identifiers, fields and constants that have no comment of their own, and the long sentences
// in the doc comments of all packages that others can import.
func (lib *loaded) documentation() []row {
	bare := row{name: "exported without a comment"}
	long := row{name: fmt.Sprintf("sentences of %d words and more in doc comments", longSentence)}
	sentences := 0
	for _, path := range slices.Sorted(maps.Keys(lib.packages)) {
		pkg := lib.packages[path]
		if pkg.Name == "main" || slices.Contains(strings.Split(path, "/"), "internal") {
			continue
		}
		d := documented{lib: lib, pkg: pkg}
		for _, file := range pkg.Syntax {
			d.file(file)
		}
		bare.items = append(bare.items, d.bare...)
		for _, s := range d.sentences {
			if sentences++; s.words >= longSentence {
				long.items = append(long.items, fmt.Sprintf("%s %d words: %s", s.place, s.words, s.text))
			}
		}
	}
	bare.counts = []count{{len(bare.items), ""}}
	long.counts = []count{{len(long.items), fmt.Sprintf("of %d", sentences)}, {len(long.items) * 1000 / max(sentences, 1), "in a thousand"}}
	return []row{bare, long}
}

// A documented reads the doc comments of a package.
type documented struct {
	lib       *loaded
	pkg       *packages.Package
	bare      []string // what is exported and has no comment
	sentences []sentence
}

// A sentence of a doc comment.
type sentence struct {
	place, text string
	words       int
}

// file reads the comments of a file's package clause and of its declarations.
func (d *documented) file(file *ast.File) {
	d.text(file.Doc)
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if ast.IsExported(strings.Split(funcName(decl), ".")[0]) {
				d.commented([]*ast.Ident{decl.Name}, false, decl.Doc)
			}
		case *ast.GenDecl:
			d.text(decl.Doc)
			for _, spec := range decl.Specs {
				d.spec(decl, spec)
			}
		}
	}
}

// spec reads a type, or a list of constants or variables. The comment of a declaration without parentheses is that of its only spec.
func (d *documented) spec(decl *ast.GenDecl, spec ast.Spec) {
	alone := decl.Lparen == token.NoPos
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if !spec.Name.IsExported() {
			return
		}
		d.commented([]*ast.Ident{spec.Name}, alone && decl.Doc != nil, spec.Doc, spec.Comment)
		switch t := spec.Type.(type) {
		case *ast.StructType:
			d.fields(t.Fields)
		case *ast.InterfaceType:
			d.fields(t.Methods)
		}
	case *ast.ValueSpec:
		d.commented(spec.Names, alone && decl.Doc != nil, spec.Doc, spec.Comment)
	}
}

// fields reads the exported fields of a struct or methods of an interface. An embedded one is described where it is declared.
func (d *documented) fields(list *ast.FieldList) {
	for _, field := range list.List {
		d.commented(field.Names, false, field.Doc, field.Comment)
	}
}

// commented notes the exported ones of some names that share their comments, if there is none, and reads the comments.
func (d *documented) commented(names []*ast.Ident, already bool, docs ...*ast.CommentGroup) {
	if !slices.ContainsFunc(names, (*ast.Ident).IsExported) {
		return
	}
	for _, doc := range docs {
		d.text(doc)
		already = already || doc != nil
	}
	for _, name := range names {
		if !already && name.IsExported() {
			d.bare = append(d.bare, d.lib.place(d.pkg.Fset, name.Pos())+" "+name.Name)
		}
	}
}

// text notes the sentences of a comment. Code, tables and headings are no sentences.
func (d *documented) text(group *ast.CommentGroup) {
	if group == nil {
		return
	}
	var parser comment.Parser
	var printer comment.Printer
	for _, block := range parser.Parse(group.Text()).Content {
		d.block(d.lib.place(d.pkg.Fset, group.Pos()), block, &printer)
	}
}

// block notes the sentences of a paragraph or of a list.
func (d *documented) block(place string, block comment.Block, printer *comment.Printer) {
	switch b := block.(type) {
	case *comment.Paragraph:
		plain := string(printer.Text(&comment.Doc{Content: []comment.Block{b}}))
		for _, s := range sentencesOf(plain) {
			d.sentences = append(d.sentences, sentence{place: place, text: s, words: len(strings.Fields(s))})
		}
	case *comment.List:
		for _, item := range b.Items {
			for _, inner := range item.Content {
				d.block(place, inner, printer)
			}
		}
	}
}

// sentencesOf splits a paragraph after each full stop, question mark or exclamation mark that a blank follows.
func sentencesOf(paragraph string) []string {
	var all []string
	var words []string
	for _, word := range strings.Fields(paragraph) {
		words = append(words, word)
		if strings.ContainsAny(word[len(word)-1:], ".!?") {
			all = append(all, strings.Join(words, " "))
			words = nil
		}
	}
	if len(words) > 0 {
		all = append(all, strings.Join(words, " "))
	}
	return all
}
