package nodegraph

// maxParseArrows bounds the pairs that the arrows of a text come to, since an arrow between braces stands for many.
const maxParseArrows = 1 << 20

// chains is what stands in one pair of parentheses: names, and what each comes after.
type chains struct {
	names []string
	after [][]string
	index map[string]int // slots by name
	drawn map[[2]int]bool
}

// chains parses chains up to the closing parenthesis. Once a name was read, details reads what follows it.
func (p *specParser) chains(details func(slot int, name string) error) (*chains, error) {
	c := &chains{index: make(map[string]int), drawn: make(map[[2]int]bool)}
	if p.accept(")") {
		return c, nil
	}
	return c, p.list(",", ")", func() error { return p.chain(c, details) })
}

// chain parses links with arrows between them.
func (p *specParser) chain(c *chains, details func(int, string) error) error {
	left, err := p.link(c, details)
	for err == nil && p.accept("->") {
		arrow := p.at - len("->")
		var right []int
		if right, err = p.link(c, details); err != nil {
			return err
		}
		if p.arrows += len(left) * len(right); p.arrows > maxParseArrows {
			return p.errorf(arrow, "arrows stand for more than %d pairs", maxParseArrows)
		}
		c.draw(left, right)
		left = right
	}
	return err
}

// link parses a name, or several in braces, and returns their slots.
func (p *specParser) link(c *chains, details func(int, string) error) ([]int, error) {
	if !p.accept("{") {
		slot, err := p.mention(c, details)
		return []int{slot}, err
	}
	var slots []int
	err := p.list(",", "}", func() error {
		slot, err := p.mention(c, details)
		slots = append(slots, slot)
		return err
	})
	return slots, err
}

// mention parses one name and its details.
func (p *specParser) mention(c *chains, details func(int, string) error) (int, error) {
	name, err := p.name()
	if err != nil {
		return 0, err
	}
	slot, known := c.index[name]
	if !known {
		slot = len(c.names)
		c.index[name] = slot
		c.names, c.after = append(c.names, name), append(c.after, nil)
	}
	return slot, details(slot, name)
}

// draw puts each slot on the right after each on the left, once.
func (c *chains) draw(left, right []int) {
	for _, to := range right {
		for _, from := range left {
			if pair := [2]int{from, to}; !c.drawn[pair] {
				c.drawn[pair] = true
				c.after[to] = append(c.after[to], c.names[from])
			}
		}
	}
}
