package pickle

// collection carries out the instructions that make and fill collections.
func (d *Decoder) collection(op byte) error {
	switch op {
	case opEmptyList:
		return d.push(&List{})
	case opEmptyDict:
		return d.push(&Dict{})
	case opEmptySet:
		return d.push(&Set{})
	case opEmptyTuple:
		return d.push(Tuple{})
	case opTuple1, opTuple2, opTuple3:
		n := int(op-opTuple1) + 1
		if len(d.stack)-d.floor() < n {
			return d.bad("a value is missing")
		}
		t := append(Tuple(nil), d.stack[len(d.stack)-n:]...)
		d.stack = d.stack[:len(d.stack)-n]
		return d.push(t)
	case opTuple, opList, opDict, opFrozenSet:
		items, err := d.popMark()
		if err != nil {
			return err
		}
		switch op {
		case opTuple:
			return d.push(Tuple(items))
		case opList:
			return d.push(&List{items})
		case opFrozenSet:
			return d.push(&Set{items})
		}
		dict := &Dict{}
		if err := d.items(dict, items); err != nil {
			return err
		}
		return d.push(dict)
	case opAppend, opSetItem:
		return d.fillOne(op)
	case opAppends, opSetItems, opAddItems:
		return d.fill(op)
	}
	if name, ok := forbidden[op]; ok {
		return &ForbiddenError{d.at, name}
	}
	return d.bad("0x%02x is no instruction", op)
}

func (d *Decoder) fillOne(op byte) error {
	v, err := d.pop()
	if err != nil {
		return err
	}
	if op == opAppend {
		return d.appendTo([]any{v})
	}
	k, err := d.pop()
	if err != nil {
		return err
	}
	return d.setIn([]any{k, v})
}

func (d *Decoder) fill(op byte) error {
	if d.each != nil && op == opSetItems {
		if err := d.hand(len(d.stack)); err != nil {
			return err
		}
	}
	items, err := d.popMark()
	if err != nil {
		return err
	}
	switch op {
	case opAppends:
		return d.appendTo(items)
	case opSetItems:
		return d.setIn(items)
	}
	v, err := d.top()
	if err != nil {
		return err
	}
	s, ok := v.(*Set)
	if !ok {
		return d.bad("members are added to a value that is no set")
	}
	s.Items = append(s.Items, items...)
	return nil
}

func (d *Decoder) appendTo(items []any) error {
	v, err := d.top()
	if err != nil {
		return err
	}
	l, ok := v.(*List)
	if !ok {
		return d.bad("items are appended to a value that is no list")
	}
	l.Items = append(l.Items, items...)
	return nil
}

func (d *Decoder) setIn(items []any) error {
	v, err := d.top()
	if err != nil {
		return err
	}
	dict, ok := v.(*Dict)
	if !ok {
		return d.bad("items are set in a value that is no dictionary")
	}
	return d.items(dict, items)
}

// items sets keys and values that take turns.
func (d *Decoder) items(dict *Dict, items []any) error {
	if len(items)%2 != 0 {
		return d.bad("a key has no value")
	}
	for i := 0; i < len(items); i += 2 {
		dict.set(items[i], items[i+1])
	}
	return nil
}
