package keys

import (
	"encoding/binary"
	"math/bits"

	"golang.org/x/crypto/blake2b"
)

// argonBlock is a block of memory: 1 KB (RFC 9106 section 3.1).
type argonBlock [128]uint64

// argon2d is Argon2d of RFC 9106, version 0x13, which PuTTYgen can be told to use
// and golang.org/x/crypto/argon2 does not offer. memory is in KB.
func argon2d(pass, salt []byte, passes, memory uint32, threads uint8, n int) []byte {
	lanes := uint32(threads)
	h := argonStart(pass, salt, passes, memory, lanes, n)
	quarter := max(memory/(4*lanes), 2)
	width := 4 * quarter // of a lane
	blocks := make([]argonBlock, width*lanes)
	for lane := range lanes {
		for i := range uint32(2) {
			var in []byte
			in = binary.LittleEndian.AppendUint32(append(in, h[:]...), i)
			in = binary.LittleEndian.AppendUint32(in, lane)
			blocks[lane*width+i].set(argonHash(in, 1024))
		}
	}
	for pass := range passes {
		for slice := range uint32(4) {
			for lane := range lanes {
				argonSegment(blocks, pass, slice, lane, lanes, quarter)
			}
		}
	}
	last := blocks[width-1]
	for lane := uint32(1); lane < lanes; lane++ {
		for i, v := range blocks[lane*width+width-1] {
			last[i] ^= v
		}
	}
	out := make([]byte, 0, 1024)
	for _, v := range last {
		out = binary.LittleEndian.AppendUint64(out, v)
	}
	return argonHash(out, n)
}

func (b *argonBlock) set(data []byte) {
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(data[8*i:])
	}
}

// argonStart is H₀ of section 3.2; type 0 is Argon2d.
func argonStart(pass, salt []byte, passes, memory, lanes uint32, n int) [blake2b.Size]byte {
	var in []byte
	for _, v := range []uint32{lanes, uint32(n), memory, passes, 0x13, 0, uint32(len(pass))} { //nolint:gosec // all small
		in = binary.LittleEndian.AppendUint32(in, v)
	}
	in = append(in, pass...)
	in = append(binary.LittleEndian.AppendUint32(in, uint32(len(salt))), salt...) //nolint:gosec // small
	in = append(in, make([]byte, 8)...)                                           // neither a secret nor associated data
	return blake2b.Sum512(in)
}

// argonHash is H′ of section 3.3.
func argonHash(in []byte, n int) []byte {
	in = append(binary.LittleEndian.AppendUint32(nil, uint32(n)), in...) //nolint:gosec // at most 1024
	sized := func(data []byte, size int) []byte {
		h, err := blake2b.New(size, nil)
		if err != nil {
			return make([]byte, size) // sizes are from 1 to 64
		}
		h.Write(data)
		return h.Sum(nil)
	}
	if n <= blake2b.Size {
		return sized(in, n)
	}
	var out []byte
	v := sized(in, blake2b.Size)
	for n-len(out) > blake2b.Size {
		out = append(out, v[:32]...)
		v = sized(v, min(blake2b.Size, n-len(out)))
	}
	return append(out, v...)[:n]
}

// argonSegment fills a quarter of a lane (section 3.4.1.1 and 3.4.2).
func argonSegment(blocks []argonBlock, pass, slice, lane, lanes, quarter uint32) {
	width := 4 * quarter
	for i := range quarter {
		if pass == 0 && slice == 0 && i < 2 {
			continue
		}
		at := slice*quarter + i
		before := lane*width + (at+width-1)%width
		random := blocks[before][0]
		from := uint32(random>>32) % lanes
		if pass == 0 && slice == 0 {
			from = lane
		}
		// The blocks that may be referred to: what is finished of the other lanes,
		// and of the own lane what was filled before the previous block.
		area, start := slice*quarter, uint32(0)
		if pass > 0 {
			area, start = 3*quarter, (slice+1)*quarter%width
		}
		if from == lane {
			area += i
		}
		if from == lane || i == 0 {
			area--
		}
		x := uint64(uint32(random)) //nolint:gosec // the low half is meant
		y := x * x >> 32
		z := uint64(area) * y >> 32
		ref := from*width + (start+uint32(uint64(area)-1-z))%width //nolint:gosec // less than area
		mixBlocks(&blocks[lane*width+at], &blocks[before], &blocks[ref], pass > 0)
	}
}

// mixBlocks is G of section 3.5.
func mixBlocks(out, a, b *argonBlock, over bool) {
	var r, z argonBlock
	for i := range r {
		r[i] = a[i] ^ b[i]
	}
	z = r
	for row := 0; row < 128; row += 16 {
		var at [16]int
		for i := range at {
			at[i] = row + i
		}
		permute(&z, &at)
	}
	for column := 0; column < 16; column += 2 {
		var at [16]int
		for i := range 8 {
			at[2*i], at[2*i+1] = column+16*i, column+16*i+1
		}
		permute(&z, &at)
	}
	for i := range z {
		if z[i] ^= r[i]; over {
			z[i] ^= out[i]
		}
	}
	*out = z
}

// permute is P of section 3.6, on the sixteen words at some places.
func permute(v *argonBlock, at *[16]int) {
	for _, q := range [8][4]int{{0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14}, {3, 7, 11, 15}, {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13}, {3, 4, 9, 14}} {
		a, b, c, d := &v[at[q[0]]], &v[at[q[1]]], &v[at[q[2]]], &v[at[q[3]]]
		times(a, b)
		*d = bits.RotateLeft64(*d^*a, -32)
		times(c, d)
		*b = bits.RotateLeft64(*b^*c, -24)
		times(a, b)
		*d = bits.RotateLeft64(*d^*a, -16)
		times(c, d)
		*b = bits.RotateLeft64(*b^*c, -63)
	}
}

// times adds with the product of the low halves.
func times(a, b *uint64) { *a += *b + 2*(*a&0xffffffff)*(*b&0xffffffff) }
