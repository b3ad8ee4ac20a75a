package host

import (
	"fmt"
	"math"
	"sync"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/outbox"
)

// trials is the stream of a process in which the jobs of all its evaluators go.
type trials struct {
	proc   *process
	stream nascv1.Evaluator_EvaluateClient
	out    *outbox.Outbox[errand]
	in     *inbox
	bag    mailbag

	mu     sync.Mutex
	slots  []slot
	free   []uint32 // of slots
	sent   map[named]struct{}
	broken *brokenError
}

// named is an architecture that a family of evaluators has been sent.
type named struct{ family, architecture uint64 }

// slot is where a trial under way is found again. Its id is the turn of the slot,
// counted from 1, and the place of the slot.
type slot struct {
	turn  uint32
	taken bool
	bare  bool  // it was sent without its graph
	call  *call // nil: nobody waits for it any more
	job   int   // of the call
}

// errand is a trial to judge, or one to cancel.
type errand struct {
	id      uint64
	cancel  bool
	session uint64
	job     wire.Job
	graph   []byte // encoded, unless the process has it
	size    int    // of the graph; 1 until it is made, 0 where it is not sent
}

// call is one call of EvaluateAll, as the stream sees it.
type call struct {
	wake chan struct{} // of capacity 1: something has come

	mu   sync.Mutex
	mail []letter
	err  *brokenError
}

// letter is the result of a job or, when it is set, an event.
type letter struct {
	job    int
	result wire.Validation
	event  *nascv1.EvaluateEvent
}

// maxMail is how many letters may wait before progress is dropped.
const maxMail = 1000

func newCall() *call { return &call{wake: make(chan struct{}, 1)} }

func (c *call) put(all []letter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range all {
		if _, progress := l.event.GetEvent().(*nascv1.EvaluateEvent_Progress); !progress || len(c.mail) < maxMail {
			c.mail = append(c.mail, l)
		}
	}
}

func (c *call) fail(err *brokenError) {
	c.mu.Lock()
	c.err = err
	c.mu.Unlock()
	c.signal()
}

func (c *call) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// take empties the mailbox into an empty one.
func (c *call) take(empty []letter) ([]letter, *brokenError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mail := c.mail
	c.mail = empty
	return mail, c.err
}

// openTrials opens the stream.
func (proc *process) openTrials() (*trials, error) {
	path, straight := proc.path(nascv1.Evaluator_Evaluate_FullMethodName)
	stream, err := nascv1.NewEvaluatorClient(path).Evaluate(proc.life)
	if err != nil {
		return nil, err
	}
	t := &trials{proc: proc, stream: stream, sent: map[named]struct{}{}}
	t.out = outbox.New(0, t.send)
	t.in = newInbox(straight, t.read)
	return t, nil
}

// maxBatch is how many bytes of graphs are sent in one message.
const maxBatch = wire.MaxMessage / 4

// send puts errands into as few messages as their size allows.
func (t *trials) send(all []errand) error {
	m := &nascv1.EvaluateRequest{}
	var of *nascv1.Trials // the last of m, with room for what follows
	size := 0
	for i, e := range all {
		if e.cancel {
			m.Cancelled = append(m.Cancelled, e.id)
			continue
		}
		if size > 0 && size+e.size > maxBatch {
			if err := t.stream.Send(m); err != nil {
				return err
			}
			m, of, size = &nascv1.EvaluateRequest{}, nil, 0
		}
		if of == nil || of.Session != e.session {
			room := len(all) - i
			of = &nascv1.Trials{Session: e.session, Ids: make([]uint64, 0, room), Seeds: make([]uint64, 0, room),
				Architectures: make([]uint64, 0, room), Numbers: make([]int64, 0, room)}
			m.Trials = append(m.Trials, of)
		}
		at := len(of.Ids)
		of.Ids = append(of.Ids, e.id)
		of.Seeds = append(of.Seeds, e.job.Seed)
		of.Numbers = append(of.Numbers, e.job.Number)
		of.Architectures = append(of.Architectures, e.job.Architecture)
		if e.job.Epochs != 0 || len(of.Epochs) > 0 {
			of.Epochs = append(append(of.Epochs, make([]int32, at-len(of.Epochs))...), int32(e.job.Epochs))
		}
		if e.graph != nil {
			of.Graphs = append(of.Graphs, &nascv1.Sent{Index: int32(at), Graph: e.graph})
			size += e.size
		}
	}
	return t.stream.Send(m)
}

// speak has an outbox send: at once when nobody else waits for an answer, since then
// there is nothing to wait for, but for a message so large that it may have to wait
// until the process has read another. An error ends the stream, and is heard there.
func speak[T any](out *outbox.Outbox[T], alone bool, size int) {
	if alone && size < 32<<10 {
		_ = out.Send()
	} else {
		out.Post()
	}
}

// portion is how many graphs are made before they are sent, so that the process reads
// them while the next ones are made.
const portion = 64

// submit sends jobs of a call for a session, those numbered by which. whole says
// that graphs are sent whatever the process may know. On an error of a job those
// before it may have been sent.
func (t *trials) submit(c *call, e *Evaluator, at place, jobs []wire.Job, which []int, whole bool) error {
	errands := make([]errand, len(which))
	t.mu.Lock()
	for i, n := range which {
		j := jobs[n]
		_, known := t.sent[named{e.family, j.Architecture}]
		errands[i] = errand{session: at.number, job: j}
		if whole || !known || !e.keeps(j) {
			errands[i].size = 1 // to be made
		}
	}
	t.mu.Unlock()
	for len(errands) > 0 {
		n, graphs := 0, 0
		for ; n < len(errands) && graphs < portion; n++ {
			if errands[n].size > 0 {
				graphs++
			}
		}
		if err := t.put(c, e, errands[:n], which[:n], whole); err != nil {
			return err
		}
		errands, which = errands[n:], which[n:]
	}
	return nil
}

// keeps reports whether the process keeps what it makes of a job's architecture.
func (e *Evaluator) keeps(j wire.Job) bool { return e.recognises.Load() && j.Architecture != 0 }

// put makes the graphs of errands that have a size, and sends all. On an error
// nothing is sent.
func (t *trials) put(c *call, e *Evaluator, errands []errand, which []int, whole bool) error {
	var room []byte // in which graphs are encoded
	for i := range errands {
		x := &errands[i]
		if x.job.Epochs < 0 || x.job.Epochs > math.MaxInt32 {
			return fmt.Errorf("%d epochs", x.job.Epochs)
		}
		if x.size == 0 {
			continue
		}
		g, err := x.job.Graph()
		if err != nil {
			return err
		}
		at := len(room)
		if room, err = wire.AppendGraph(room, g); err != nil {
			return err
		}
		x.graph = room[at:len(room):len(room)]
		x.size = len(x.graph)
	}
	t.mu.Lock()
	if t.broken != nil {
		t.mu.Unlock()
		return t.broken
	}
	alone := len(t.free) == len(t.slots)
	size := 0
	for i := range errands {
		x := &errands[i]
		size += 32 + x.size
		if x.graph != nil && e.keeps(x.job) {
			name := named{e.family, x.job.Architecture}
			if _, known := t.sent[name]; known && !whole {
				x.graph, x.size = nil, 0 // somebody else was faster
			} else {
				t.sent[name] = struct{}{}
			}
		}
		x.id = t.enter(c, which[i], x.graph == nil)
	}
	// While the lock is held, so that a graph goes before those that need it.
	t.out.Put(errands...)
	t.mu.Unlock()
	speak(t.out, alone, size)
	return nil
}

// enter takes a slot for a trial. The lock is held.
func (t *trials) enter(c *call, job int, bare bool) (id uint64) {
	if len(t.free) == 0 {
		t.free = append(t.free, uint32(len(t.slots)))
		t.slots = append(t.slots, slot{})
	}
	at := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	t.slots[at] = slot{turn: t.slots[at].turn + 1, taken: true, bare: bare, call: c, job: job}
	return uint64(t.slots[at].turn)<<32 | uint64(at)
}

// abandon cancels the trials of a call that are under way.
func (t *trials) abandon(c *call) {
	t.mu.Lock()
	for i := range t.slots {
		if s := &t.slots[i]; s.taken && s.call == c {
			s.call = nil
			t.out.Put(errand{cancel: true, id: uint64(s.turn)<<32 | uint64(i)})
		}
	}
	t.mu.Unlock()
	t.out.Post()
}

// read reads a message and hands events to the calls that wait for them.
func (t *trials) read() error {
	m, err := t.stream.Recv()
	if err == nil {
		err = t.deliver(m, &t.bag)
		t.bag.hand()
	}
	if err != nil && !interrupted(err) {
		t.end(err)
	}
	return err
}

func (t *trials) deliver(m *nascv1.EvaluateResponse, to *mailbag) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, ev := range m.GetEvents() {
		s, err := t.find(ev.GetId())
		if err != nil {
			return err
		}
		l := letter{job: s.job, event: ev}
		switch ev.GetEvent().(type) {
		case nil:
			continue // of a later protocol
		case *nascv1.EvaluateEvent_Progress:
			shorten(ev.GetProgress())
			to.put(s.call, l)
			continue
		case *nascv1.EvaluateEvent_Unknown:
			if !s.bare {
				return t.proc.plugin.bad("it does not know an architecture that it was sent")
			}
		}
		to.put(s.call, l)
		t.leave(s, ev.GetId())
	}
	n := len(m.GetIds())
	if n == 0 {
		return nil
	}
	// The evaluators of a process are one component.
	width := len(m.GetResults().GetValues()) / n
	if err := wire.CheckValidation(m.GetResults(), n, width); err != nil {
		return t.proc.plugin.bad("%v", err)
	}
	for i, id := range m.GetIds() {
		s, err := t.find(id)
		if err != nil {
			return err
		}
		to.put(s.call, letter{job: s.job, result: wire.TakeValidation(m.GetResults(), i, width)})
		t.leave(s, id)
	}
	return nil
}

// find returns the slot of a trial that is under way.
func (t *trials) find(id uint64) (*slot, error) {
	at := id & math.MaxUint32
	if at >= uint64(len(t.slots)) || !t.slots[at].taken || uint64(t.slots[at].turn) != id>>32 {
		return nil, t.proc.plugin.bad("it tells of trial %d, which it was not given or has ended", id)
	}
	return &t.slots[at], nil
}

// leave frees a slot.
func (t *trials) leave(s *slot, id uint64) {
	s.taken, s.call = false, nil
	t.free = append(t.free, uint32(id))
}

// mailbag collects letters, so that each call is woken once for a message.
type mailbag struct {
	call    *call
	letters []letter
}

// put adds a letter for a call, after handing over those for another.
func (b *mailbag) put(c *call, l letter) {
	if c != b.call {
		b.hand()
		b.call = c
	}
	b.letters = append(b.letters, l)
}

// hand hands the letters over.
func (b *mailbag) hand() {
	if b.call != nil && len(b.letters) > 0 {
		b.call.put(b.letters)
		b.call.signal()
	}
	clear(b.letters)
	b.call, b.letters = nil, b.letters[:0]
}

// end fails every call under way, and all further ones.
func (t *trials) end(err error) {
	b := t.proc.broken(err)
	t.mu.Lock()
	t.broken = b
	waiting := map[*call]bool{}
	for i := range t.slots {
		if c := t.slots[i].call; c != nil {
			waiting[c] = true
			t.slots[i].call = nil
		}
	}
	t.mu.Unlock()
	for c := range waiting {
		c.fail(b)
	}
	go t.out.Close() // a message may be on its way until the process has ended
}
