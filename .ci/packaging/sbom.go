//go:build ignore

// Command sbom says what the programs are made of, as Go wrote it into them:
//
//	go run sbom.go -version 1.2.3 -epoch SECONDS -sum go.sum -bom OUT.cdx.json -licences OUT.txt [NAME=]PROGRAM…
//
// The bill is CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/). The licences
// are the texts that the modules bring, which their authors want passed on.
package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

type object = map[string]any

// A module is one that at least one program holds.
type module struct{ path, version, dir string }

func (m module) ref() string { return "pkg:golang/" + m.path + "@" + m.version }

func main() {
	log.SetFlags(0)
	version := flag.String("version", "", "of the product")
	epoch := flag.String("epoch", "0", "seconds since 1970 that the bill is dated with")
	sums := flag.String("sum", "go.sum", "the checksums of the modules")
	bom := flag.String("bom", "", "where the bill goes")
	licences := flag.String("licences", "", "where the licences go")
	flag.Parse()
	seconds, err := strconv.ParseInt(*epoch, 10, 64)
	must(err)
	hashes := checksums(*sums)
	seen := map[string]module{}
	var programs, graph []object
	for _, arg := range flag.Args() {
		name, path, named := strings.Cut(arg, "=")
		if !named {
			name, path = filepath.Base(arg), arg
		}
		held, goVersion := contents(path)
		held = append(held, module{path: "std", version: strings.TrimPrefix(goVersion, "go")})
		var refs []string
		for _, m := range held {
			seen[m.ref()] = m
			refs = append(refs, m.ref())
		}
		data, err := os.ReadFile(path)
		must(err)
		sum := sha256.Sum256(data)
		programs = append(programs, object{"type": "file", "bom-ref": name, "name": name, "version": *version, "hashes": []object{{"alg": "SHA-256", "content": hex.EncodeToString(sum[:])}}})
		slices.Sort(refs)
		graph = append(graph, object{"ref": name, "dependsOn": refs})
	}
	modules := make([]module, 0, len(seen))
	for _, m := range seen {
		modules = append(modules, m)
	}
	slices.SortFunc(modules, func(a, b module) int { return cmp.Compare(a.ref(), b.ref()) })
	locate(modules)
	parts := programs
	var texts bytes.Buffer
	fmt.Fprintf(&texts, "Jackfield %s holds these Go modules, each under the licence that follows it.\n", *version)
	for _, m := range modules {
		kind, text := licence(m.dir)
		c := object{"type": "library", "bom-ref": m.ref(), "name": m.path, "version": m.version, "purl": m.ref()}
		if h := hashes[m.path+" "+m.version]; h != "" {
			c["hashes"] = []object{{"alg": "SHA-256", "content": h}}
		}
		if kind != "" {
			c["licenses"] = []object{{"license": object{"id": kind}}}
		}
		parts = append(parts, c)
		fmt.Fprintf(&texts, "\n%s\n%s %s\n%s\n\n%s\n", strings.Repeat("=", 78), m.path, m.version, strings.Repeat("=", 78), strings.TrimSpace(text))
	}
	about := object{"type": "application", "bom-ref": "jackfield", "name": "Jackfield", "version": *version, "licenses": []object{{"license": object{"id": "Apache-2.0"}}}}
	data, err := json.MarshalIndent(object{
		"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
		"metadata":     object{"timestamp": time.Unix(seconds, 0).UTC().Format(time.RFC3339), "component": about},
		"components":   parts,
		"dependencies": graph,
	}, "", " ")
	must(err)
	must(os.WriteFile(*bom, append(data, '\n'), 0o644))
	must(os.WriteFile(*licences, texts.Bytes(), 0o644))
}

func contents(path string) ([]module, string) {
	info, err := buildinfo.ReadFile(path)
	must(err)
	var list []module
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		list = append(list, module{path: d.Path, version: d.Version})
	}
	return list, info.GoVersion
}

// checksums are the h1 lines of go.sum by "path version", in hex.
func checksums(path string) map[string]string {
	data, err := os.ReadFile(path)
	must(err)
	found := map[string]string{}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) != 3 || strings.HasSuffix(f[1], "/go.mod") {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(f[2], "h1:"))
		must(err)
		found[f[0]+" "+f[1]] = hex.EncodeToString(raw)
	}
	return found
}

// locate finds the folder of each module in the module cache.
func locate(modules []module) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Version}}\t{{.Dir}}", "all").Output()
	must(err)
	dirs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		dirs[name] = dir
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	must(err)
	for i, m := range modules {
		modules[i].dir = dirs[m.path+" "+m.version]
		if m.path == "std" {
			modules[i].dir = strings.TrimSpace(string(root))
		}
		if modules[i].dir == "" {
			log.Fatalf("sbom: %s %s is not in the module cache", m.path, m.version)
		}
	}
}

var licenceName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|unlicense|patents|third.?party)([-._].*)?$`)

// licence is the texts in a module's folder, and the SPDX name of the first
// that says clearly which one it is. A module that brings no text says so.
func licence(dir string) (kind, text string) {
	entries, err := os.ReadDir(dir)
	must(err)
	for _, e := range entries {
		if e.IsDir() || !licenceName.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(err)
		text += strings.ReplaceAll(string(data), "\r\n", "\n") + "\n"
		if kind == "" {
			kind = spdx(string(data))
		}
	}
	if text == "" {
		text = "(This module brings no licence text of its own.)"
	}
	return kind, text
}

func spdx(text string) string {
	flat := strings.Join(strings.Fields(text), " ")
	for _, k := range []struct{ says, id string }{
		{"Apache License Version 2.0", "Apache-2.0"},
		{"Eclipse Public License - v 2.0", "EPL-2.0"},
		{"GNU LESSER GENERAL PUBLIC LICENSE Version 3", "LGPL-3.0-only"},
		{"Mozilla Public License Version 2.0", "MPL-2.0"},
		{"Mozilla Public License, version 2.0", "MPL-2.0"},
		{"Permission to use, copy, modify, and/or distribute this software", "ISC"},
		{"Permission to use, copy, modify, and distribute this software for any purpose with or without fee", "ISC"},
		{"Permission is hereby granted, free of charge", "MIT"},
		{"Neither the name", "BSD-3-Clause"},
		{"names of its contributors", "BSD-3-Clause"},
		{"may be used to endorse or promote", "BSD-3-Clause"},
		{"Redistribution and use in source and binary forms", "BSD-2-Clause"},
		{"This is free and unencumbered software", "Unlicense"},
	} {
		if strings.Contains(flat, k.says) {
			return k.id
		}
	}
	return ""
}

func must(err error) {
	if err != nil {
		log.Fatal("sbom: ", err)
	}
}
