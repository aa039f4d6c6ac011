//go:build ignore

// Command icons scales a square picture into what the three systems want:
//
//	go run icons.go Icon.png OUT
//
// writes OUT/hicolor (freedesktop icon theme: the program and its documents),
// OUT/jackfield.ico and OUT/document.ico (Windows), and OUT/jackfield.icns and
// OUT/document.icns (macOS). The same picture makes the same bytes everywhere.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"os"
	"path/filepath"

	"golang.org/x/image/draw"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: icons PICTURE OUT")
	}
	f, err := os.Open(os.Args[1])
	must(err)
	icon, err := png.Decode(f)
	must(err)
	must(f.Close())
	out := os.Args[2]
	for name, picture := range map[string]image.Image{"jackfield": icon, "document": document(icon)} {
		folder, file := "apps", "app.jackfield.png"
		if name == "document" {
			folder, file = "mimetypes", "application-x-jackfield.png"
		}
		for _, n := range []int{16, 22, 24, 32, 48, 64, 128, 256, 512} {
			write(filepath.Join(out, "hicolor", fmt.Sprintf("%dx%d", n, n), folder, file), encoded(scaled(picture, n)))
		}
		write(filepath.Join(out, name+".ico"), ico(picture))
		write(filepath.Join(out, name+".icns"), icns(picture))
	}
}

// document is a sheet of paper with the picture on it.
func document(icon image.Image) image.Image {
	const n, left, right, top, bottom, fold, edge = 512, 72, 440, 16, 496, 112, 10
	page := image.NewNRGBA(image.Rect(0, 0, n, n))
	paper, line, back := color.NRGBA{255, 255, 255, 255}, color.NRGBA{140, 148, 156, 255}, color.NRGBA{228, 231, 235, 255}
	for y := top; y < bottom; y++ {
		for x := left; x < right; x++ {
			beyond := (x - (right - fold)) - (y - top) // above 0: where the corner is folded away
			switch {
			case beyond > 0:
			case x < left+edge || x >= right-edge || y < top+edge || y >= bottom-edge || beyond > -edge*14/10:
				page.SetNRGBA(x, y, line)
			case x >= right-fold && y < top+fold:
				page.SetNRGBA(x, y, back)
			default:
				page.SetNRGBA(x, y, paper)
			}
		}
	}
	draw.CatmullRom.Scale(page, image.Rect(126, 196, 386, 456), icon, icon.Bounds(), draw.Over, nil)
	return page
}

func scaled(picture image.Image, n int) *image.NRGBA {
	to := image.NewNRGBA(image.Rect(0, 0, n, n))
	draw.CatmullRom.Scale(to, to.Bounds(), picture, picture.Bounds(), draw.Src, nil)
	return to
}

func encoded(picture image.Image) []byte {
	var b bytes.Buffer
	must((&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, picture))
	return b.Bytes()
}

// ico holds small sizes as bitmaps, which every reader of icons knows, and the
// largest as PNG, as Windows does since Vista.
func ico(picture image.Image) []byte {
	sizes := []int{16, 20, 24, 32, 40, 48, 64, 256}
	var head, body bytes.Buffer
	little(&head, uint16(0), uint16(1), uint16(len(sizes)))
	for _, n := range sizes {
		data := encoded(scaled(picture, n))
		if n < 256 {
			data = bitmap(scaled(picture, n))
		}
		little(&head, uint8(n), uint8(n), uint16(0), uint16(1), uint16(32), uint32(len(data)), uint32(6+16*len(sizes)+body.Len()))
		body.Write(data)
	}
	return append(head.Bytes(), body.Bytes()...)
}

// bitmap is a BITMAPINFOHEADER of double height, the colours from the bottom
// up, and an empty mask: the alpha channel says what is seen.
func bitmap(picture *image.NRGBA) []byte {
	n := picture.Rect.Dx()
	mask := make([]byte, (n+31)/32*4*n)
	var b bytes.Buffer
	little(&b, uint32(40), int32(n), int32(2*n), uint16(1), uint16(32), uint32(0), uint32(4*n*n+len(mask)), int32(0), int32(0), uint32(0), uint32(0))
	for y := n - 1; y >= 0; y-- {
		for x := range n {
			c := picture.NRGBAAt(x, y)
			b.Write([]byte{c.B, c.G, c.R, c.A})
		}
	}
	b.Write(mask)
	return b.Bytes()
}

// icns is a list of PNG pictures, each under the four letters of its size; the
// ic11 to ic14 are the same for screens of double density.
func icns(picture image.Image) []byte {
	var body bytes.Buffer
	for _, e := range []struct {
		name string
		size int
	}{{"icp4", 16}, {"icp5", 32}, {"ic07", 128}, {"ic08", 256}, {"ic09", 512}, {"ic11", 32}, {"ic12", 64}, {"ic13", 256}, {"ic14", 512}} {
		data := encoded(scaled(picture, e.size))
		body.WriteString(e.name)
		must(binary.Write(&body, binary.BigEndian, uint32(8+len(data))))
		body.Write(data)
	}
	return append(binary.BigEndian.AppendUint32([]byte("icns"), uint32(8+body.Len())), body.Bytes()...)
}

func little(b *bytes.Buffer, values ...any) {
	for _, v := range values {
		must(binary.Write(b, binary.LittleEndian, v))
	}
}

func write(path string, data []byte) {
	must(os.MkdirAll(filepath.Dir(path), 0o755))
	must(os.WriteFile(path, data, 0o644))
}

func must(err error) {
	if err != nil {
		log.Fatal("icons: ", err)
	}
}
