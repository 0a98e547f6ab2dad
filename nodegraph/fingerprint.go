package nodegraph

import (
	"encoding/binary"
	"encoding/hex"
	"hash"
	"hash/fnv"
	"slices"
	"strings"
)

// Fingerprint is a short text that two specifications share if they promise the same nodes in the same order, under the same
// names, conditions, hooks and locks. What may change while a workflow runs counts for nothing: suspension, parallelism, deadlines
// and timeouts, priority, limits of locks and of retries. The order of the templates counts for nothing, too. It reads the
// whole specification, which must be valid, and allocates.
func (s *Spec) Fingerprint() string {
	d := digest{fnv.New64a()}
	d.text(s.Name, s.Namespace, s.Entrypoint, s.OnExit)
	d.hooks(s.Hooks)
	d.locks(s.Locks)
	templates := slices.Clone(s.Templates)
	slices.SortFunc(templates, func(a, b *Template) int { return strings.Compare(a.Name, b.Name) })
	d.number(len(templates))
	for _, t := range templates {
		d.template(t)
	}
	return hex.EncodeToString(d.Sum(nil))
}

// A digest takes in what decides structure. Every list is preceded by its length, so that no two specifications read alike.
type digest struct{ hash.Hash64 }

func (d digest) number(n int) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	d.Write(b[:])
}

func (d digest) text(list ...string) {
	for _, s := range list {
		d.number(len(s))
		d.Write([]byte(s))
	}
}

func (d digest) texts(list []string) {
	d.number(len(list))
	d.text(list...)
}

func (d digest) flags(list ...bool) {
	n := 0
	for k, f := range list {
		if f {
			n |= 1 << k
		}
	}
	d.number(n)
}

func (d digest) hooks(list []Hook) {
	d.number(len(list))
	for k := range list {
		d.text(list[k].Name, list[k].Template, list[k].Expression)
	}
}

func (d digest) locks(list []Lock) {
	d.number(len(list))
	for k := range list {
		d.text(list[k].Key)
	}
}

func (d digest) template(t *Template) {
	d.text(t.Name, t.Kind.String(), t.Err)
	d.flags(t.Daemon, t.NoFailFast, t.FailFast, t.Retry != nil, t.Memoize != "")
	d.locks(t.Locks)
	d.texts(t.Targets)
	d.number(len(t.Containers))
	for k := range t.Containers {
		d.text(t.Containers[k].Name)
		d.texts(t.Containers[k].Dependencies)
	}
	d.tasks(t.Tasks)
	d.number(len(t.Steps))
	for _, group := range t.Steps {
		d.tasks(group)
	}
}

func (d digest) tasks(list []Task) {
	d.number(len(list))
	for k := range list {
		t := &list[k]
		d.text(t.Name, t.Template, t.Depends, t.When)
		d.texts(t.Dependencies)
		d.hooks(t.Hooks)
		d.flags(t.ContinueOn.Failed, t.ContinueOn.Error, t.Inline != nil, t.Loop != nil)
		if t.Inline != nil {
			d.template(t.Inline)
		}
		if t.Loop != nil {
			d.text(t.Loop.Unresolved)
			d.number(len(t.Loop.Items))
			for _, item := range t.Loop.Items {
				d.text(item.Text, item.Template)
			}
		}
	}
}
