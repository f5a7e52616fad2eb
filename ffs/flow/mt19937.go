package flow

// numpyPermutation returns NumPy's RandomState(seed).permutation(n), which FrEIA uses: the
// identity, shuffled from the end by NumPy's frozen ("legacy") algorithm.
func numpyPermutation(seed uint32, n int) []int32 {
	perm := make([]int32, n)
	for i := range perm {
		perm[i] = int32(i)
	}
	source := newMT19937(seed)
	for i := n - 1; i > 0; i-- {
		j := source.atMost(uint32(i))
		perm[i], perm[j] = perm[j], perm[i]
	}
	return perm
}

// Degree and middle offset of the recurrence (Matsumoto and Nishimura, "Mersenne Twister", 1998).
const (
	mtDegree = 624
	mtMiddle = 397
)

// mt19937 is the 32-bit Mersenne Twister.
type mt19937 struct {
	state [mtDegree]uint32
	next  int
}

// newMT19937 seeds the state by Knuth's multiplicative recurrence, as NumPy does for an integer
// seed.
func newMT19937(seed uint32) *mt19937 {
	m := &mt19937{next: mtDegree}
	m.state[0] = seed
	for i := 1; i < mtDegree; i++ {
		previous := m.state[i-1]
		m.state[i] = 1812433253*(previous^previous>>30) + uint32(i)
	}
	return m
}

// twist computes the next state.
func (m *mt19937) twist() {
	for i := range m.state {
		word := m.state[i]&0x80000000 | m.state[(i+1)%mtDegree]&0x7fffffff
		feedback := word >> 1
		if word&1 == 1 {
			feedback ^= 0x9908b0df
		}
		m.state[i] = m.state[(i+mtMiddle)%mtDegree] ^ feedback
	}
	m.next = 0
}

// uint32 returns the next tempered word.
func (m *mt19937) uint32() uint32 {
	if m.next == mtDegree {
		m.twist()
	}
	y := m.state[m.next]
	m.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// atMost draws uniformly from 0..limit: it cuts words to the bits of limit and draws again while
// they exceed it.
func (m *mt19937) atMost(limit uint32) uint32 {
	mask := limit
	for shift := 1; shift < 32; shift *= 2 {
		mask |= mask >> shift
	}
	for {
		if value := m.uint32() & mask; value <= limit {
			return value
		}
	}
}
