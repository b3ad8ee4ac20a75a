package check

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
)

// scope gives decisions and nodes their addresses: the path of names from the
// space down to where something is declared. A segment shows its index when its
// name occurs more than once beside it, or always where a set or an array
// makes the members (indexed).
type scope struct {
	up      *scope
	key     string // what the index counts: the name, or "cell " and the name
	name    string
	index   int
	indexed bool
	count   map[string]int
	owned   bool // a decision has taken the scope's own path as its address
}

func (s *scope) child(name string, indexed bool) *scope { return s.keyed(name, name, indexed) }

// keyed is child with a counter of its own: a cell is declared once however
// often it is used, so its uses do not count towards its own index.
func (s *scope) keyed(key, name string, indexed bool) *scope {
	if s.count == nil {
		s.count = map[string]int{}
	}
	i := s.count[key]
	s.count[key]++
	return &scope{up: s, key: key, name: name, index: i, indexed: indexed}
}

// again is the same place, to be elaborated once more.
func (s *scope) again() *scope {
	return &scope{up: s.up, key: s.key, name: s.name, index: s.index, indexed: s.indexed}
}

// raw is the path with every index: the identity of a place across repeated
// elaborations of the same cell.
func (s *scope) raw() string {
	if s.up == nil {
		return s.name
	}
	return s.up.raw() + "." + s.key + "[" + strconv.Itoa(s.index) + "]"
}

// address is the path as a user reads it. Only final once everything beside the
// scope has been elaborated.
func (s *scope) address() string { return s.addressBelow(nil) }

func (s *scope) addressBelow(top *scope) string {
	if s == top || s.up == nil {
		return ""
	}
	seg := s.name
	if s.indexed || s.up.count[s.key] > 1 {
		seg += "[" + strconv.Itoa(s.index) + "]"
	}
	if p := s.up.addressBelow(top); p != "" {
		return p + "." + seg
	}
	return seg
}

// home is where a cell was declared: its decisions live there, once.
type home struct {
	group *space.Group
	scope *scope
	ties  *ties
}

// ties remembers, for what is decided once, which decision stands at a place.
type ties struct {
	decisions map[string]*space.Decision
	cells     map[string]*cellInstance
	sealed    bool // a first elaboration is complete: no new decisions may appear
	name      string
}

func newTies(name string) *ties {
	return &ties{decisions: map[string]*space.Decision{}, cells: map[string]*cellInstance{}, name: name}
}

// cellInstance is a cell with its one set of decisions.
type cellInstance struct {
	scope  *scope
	group  *space.Group
	ties   *ties
	bodies map[string]*lower.Body // elaborated, by shapes and attributes
}

// context is where an expression is being evaluated.
type context struct {
	env     *env
	frame   *frame
	group   *space.Group // where new decisions go; nil when there is no such place
	scope   *scope
	ties    *ties
	slot    string // the name of the attribute or variable being computed
	picked  bool   // the operand was picked by `k of`: absent ops are no candidates
	indexed bool   // applying to the members of a set: addresses keep their index
	depth   int
}

func (c context) with(e *env) context       { c.env = e; return c }
func (c context) in(g *space.Group) context { c.group = g; return c }
func (c context) named(slot string) context { c.slot = slot; return c }
func (c context) below(s *scope) context    { c.scope = s; return c }
func (c context) plain() context            { c.slot, c.picked, c.indexed = "", false, false; return c }
func (c context) member(m member) context {
	c.picked, c.indexed = c.picked || m.picked, true
	if m.group != nil {
		c.group = m.group
	}
	return c
}

// owner says below which decision a group hangs.
type owner struct {
	on    *space.Decision
	alt   int
	group *space.Group // the group that holds the decision
}

// place returns the group for decisions that exist only where both a and b do,
// or nil when neither lies below the other.
func (k *checker) place(a, b *space.Group) *space.Group {
	switch {
	case a == nil || b == nil:
		return nil
	case k.above(b, a):
		return a
	case k.above(a, b):
		return b
	}
	return nil
}

// above reports whether g is h or an ancestor of it.
func (k *checker) above(g, h *space.Group) bool {
	for {
		if g == h {
			return true
		}
		o, ok := k.owners[h]
		if !ok {
			return false
		}
		h = o.group
	}
}

// maxDecisions bounds the size of a decision tree.
const maxDecisions = 1 << 16

// decide declares a decision, or finds it again where a cell meets other
// tensors. It returns nil after reporting why there can be none.
func (k *checker) decide(c context, name string, kind space.Kind, labels []string, at diag.Span) *space.Decision {
	if c.group == nil {
		d := k.unsupported(at, "a decision that exists only under two independent decisions")
		d.Help = "name the outer choice inside the inner one"
		return nil
	}
	s := c.scope
	switch {
	case c.slot != "":
		s = s.child(c.slot, false)
	case kind != space.Depth && kind != space.Subset && !s.owned && s.up != nil:
		s.owned = true
	default:
		s = s.child(name, false)
	}
	key := s.raw()
	if d, ok := c.ties.decisions[key]; ok {
		if d.Kind != kind || len(d.Alts) != len(labels) {
			e := k.diags.Add("E0406", at, "the choices of cell `%s` depend on its parameters", c.ties.name)
			e.Help = "a cell is decided once; use a `block`, which is decided wherever it is used"
			return nil
		}
		return d
	}
	if c.ties.sealed {
		e := k.diags.Add("E0406", at, "the choices of cell `%s` depend on its parameters", c.ties.name)
		e.Help = "a cell is decided once; use a `block`, which is decided wherever it is used"
		return nil
	}
	if k.decisions++; k.decisions > maxDecisions {
		k.tooLarge(at, fmt.Sprintf("more than %d decisions", maxDecisions))
		return nil
	}
	k.spend(4*len(labels)+len(key)/4, at)
	d := &space.Decision{Kind: kind, Pos: at.Start, Min: 1, Max: 1}
	seen := map[string]int{}
	for i, l := range labels {
		if seen[l]++; seen[l] > 1 {
			l = fmt.Sprintf("%s #%d", l, seen[l])
		}
		sub := &space.Group{}
		d.Alts = append(d.Alts, &space.Alt{Label: l, Sub: sub})
		k.owners[sub] = owner{on: d, alt: i, group: c.group}
	}
	d.Address = key
	c.group.Decisions = append(c.group.Decisions, d)
	c.ties.decisions[key] = d
	k.places = append(k.places, placed{d, s})
	return d
}

// placed is a decision with its scope, from which the final address comes.
type placed struct {
	d *space.Decision
	s *scope
}

// fatal is raised to leave a computation that has grown too large; Check
// recovers it at its edge.
type fatal struct{}

func (k *checker) tooLarge(at diag.Span, what string) {
	d := k.diags.Add("E0410", at, "this space is too large to be compiled: %s", what)
	if strings.Contains(what, "deep") {
		d.Help = "does the recursion have a guard such as `if fuel > 0`?"
	}
	panic(fatal{})
}

func (k *checker) unsupported(at diag.Span, what string) *diag.Diagnostic {
	return k.diags.Add("E0490", at, "not supported yet: %s", what)
}
