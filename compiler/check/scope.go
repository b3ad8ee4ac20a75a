package check

import (
	"fmt"
	"slices"
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
	count   []counter
	place   map[string]int // in count, when it is long
	path    string         // raw, once it was asked for
	owned   bool           // a decision has taken the scope's own path as its address
}

// counter is how often a key occurs in a scope.
type counter struct {
	key string
	n   int
}

func (s *scope) counter(key string) int {
	if s.place != nil {
		if i, ok := s.place[key]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(s.count, func(c counter) bool { return c.key == key })
}

func (s *scope) child(name string, indexed bool) *scope { return s.keyed(name, name, indexed) }

// keyed is child with a counter of its own: a cell is declared once however
// often it is used, so its uses do not count towards its own index.
func (s *scope) keyed(key, name string, indexed bool) *scope {
	i := 0
	if at := s.counter(key); at >= 0 {
		i = s.count[at].n
		s.count[at].n++
	} else {
		s.count = append(s.count, counter{key, 1})
		switch n := len(s.count); {
		case n > few+1:
			s.place[key] = n - 1
		case n == few+1:
			s.place = make(map[string]int, 2*n)
			for i, c := range s.count {
				s.place[c.key] = i
			}
		}
	}
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
	if s.path == "" {
		s.path = s.up.raw() + "." + s.key + "[" + strconv.Itoa(s.index) + "]"
	}
	return s.path
}

// address is the path as a user reads it. Only final once everything beside the
// scope has been elaborated.
func (s *scope) address() string { return s.addressBelow(nil) }

func (s *scope) addressBelow(top *scope) string {
	if s == top || s.up == nil {
		return ""
	}
	seg := s.name
	if s.indexed || s.up.count[s.up.counter(s.key)].n > 1 {
		seg += "[" + strconv.Itoa(s.index) + "]"
	}
	if p := s.up.addressBelow(top); p != "" {
		return p + "." + seg
	}
	return seg
}

// home is where a cell was declared: its decisions live there, once.
type home struct {
	under *branch
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
	under  *branch
	ties   *ties
	bodies map[string]*lower.Body // elaborated, by shapes and attributes
}

// context is where an expression is being evaluated.
type context struct {
	env     *env
	frame   *frame
	under   *branch // where new decisions exist
	frozen  bool    // nothing may be decided: the value is wanted, not its meaning
	scope   *scope
	ties    *ties
	slot    string // the name of the attribute or variable being computed
	picked  bool   // the operand was picked by `k of`: absent ops are no candidates
	indexed bool   // applying to the members of a set: addresses keep their index
	depth   int
}

func (c context) with(e *env) context       { c.env = e; return c }
func (c context) in(b *branch) context      { c.under = b; return c }
func (c context) freeze() context           { c.frozen = true; return c }
func (c context) named(slot string) context { c.slot = slot; return c }
func (c context) below(s *scope) context    { c.scope = s; return c }
func (c context) plain() context            { c.slot, c.picked, c.indexed = "", false, false; return c }

// member is where a member of a set is worked on: it exists where the member does.
func (k *checker) member(c context, m member) context {
	c.picked, c.indexed = c.picked || m.picked, true
	c.under = k.both(m.under, c.under)
	return c
}

// maxDecisions bounds the size of a decision tree.
const maxDecisions = 1 << 16

// decide declares a decision, or finds it again where a cell meets other
// tensors. It returns nil after reporting why there can be none.
func (k *checker) decide(c context, name string, kind space.Kind, labels []string, at diag.Span) *space.Decision {
	k.open++
	if c.frozen {
		k.diags.Add("E0432", at, "nothing can be decided in a requirement")
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
		if d.Kind != kind || len(d.Alts) != len(labels) || !k.asked[d.ID].under.equals(c.under) {
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
	if len(k.asked) == maxDecisions {
		k.tooLarge(at, fmt.Sprintf("more than %d decisions", maxDecisions))
		return nil
	}
	k.spend(4*len(labels)+len(key)/4, at)
	d := &space.Decision{ID: len(k.asked), Kind: kind, Pos: at.Start, Min: 1, Max: 1}
	seen := make(map[string]int, len(labels))
	for _, l := range labels {
		if seen[l]++; seen[l] > 1 {
			l = fmt.Sprintf("%s #%d", l, seen[l])
		}
		d.Alts = append(d.Alts, &space.Alt{Label: l})
	}
	d.Address = key
	c.ties.decisions[key] = d
	k.asked = append(k.asked, &question{d: d, under: c.under, scope: s})
	return d
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
