//go:build ignore

// Command lipo joins Mach-O programs for different processors into one
// universal program, as Apple's tool of that name does:
//
//	go run lipo.go OUT PROGRAM PROGRAM…
package main

import (
	"bytes"
	"debug/macho"
	"encoding/binary"
	"log"
	"os"
)

// A slice starts at a multiple of the largest page of any of the processors.
const alignment = 14

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		log.Fatal("usage: lipo OUT PROGRAM PROGRAM…")
	}
	var head, body bytes.Buffer
	programs := os.Args[2:]
	first := 1 << alignment
	big(&head, uint32(macho.MagicFat), uint32(len(programs)))
	for _, path := range programs {
		data, err := os.ReadFile(path)
		must(err)
		f, err := macho.NewFile(bytes.NewReader(data))
		must(err)
		body.Write(make([]byte, -body.Len()&(first-1)))
		big(&head, uint32(f.Cpu), f.SubCpu, uint32(first+body.Len()), uint32(len(data)), uint32(alignment))
		body.Write(data)
	}
	head.Write(make([]byte, first-head.Len()))
	must(os.WriteFile(os.Args[1], append(head.Bytes(), body.Bytes()...), 0o755))
	f, err := macho.OpenFat(os.Args[1])
	must(err)
	must(f.Close())
}

func big(b *bytes.Buffer, values ...uint32) {
	for _, v := range values {
		must(binary.Write(b, binary.BigEndian, v))
	}
}

func must(err error) {
	if err != nil {
		log.Fatal("lipo: ", err)
	}
}
