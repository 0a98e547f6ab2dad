package argo

import (
	"errors"
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// locks converts synchronization into the keys that Argo shows in the status: semaphores, then mutexes, each in
// declared order, the single ones of older versions first. A key with variables in it is kept as it stands.
func (c *converter) locks(field string, in *synchronization) ([]nodegraph.Lock, error) {
	if in == nil {
		return nil, nil
	}
	var locks []nodegraph.Lock
	add := func(field string, lock nodegraph.Lock, err error) error {
		if err == nil && slices.ContainsFunc(locks, func(l nodegraph.Lock) bool { return l.Key == lock.Key }) {
			err = fmt.Errorf("%q is named twice: it would wait for itself", bounded(lock.Key))
		}
		if open(lock.Key) {
			c.unresolved(field, lock.Key, countsAsIs)
		}
		locks = append(locks, lock)
		return inField(field, err)
	}
	if in.Semaphore != nil {
		lock, err := c.semaphore(in.Semaphore)
		if err := add(field+".semaphore", lock, err); err != nil {
			return nil, err
		}
	}
	for i := range in.Semaphores {
		lock, err := c.semaphore(&in.Semaphores[i])
		if err := add(fmt.Sprintf("%s.semaphores[%d]", field, i), lock, err); err != nil {
			return nil, err
		}
	}
	if in.Mutex != nil {
		lock, err := c.mutex(in.Mutex)
		if err := add(field+".mutex", lock, err); err != nil {
			return nil, err
		}
	}
	for i := range in.Mutexes {
		lock, err := c.mutex(&in.Mutexes[i])
		if err := add(fmt.Sprintf("%s.mutexes[%d]", field, i), lock, err); err != nil {
			return nil, err
		}
	}
	return locks, nil
}

func (c *converter) semaphore(in *semaphore) (nodegraph.Lock, error) {
	namespace := firstText(in.Namespace, c.w.Namespace)
	switch {
	case in.ConfigMapKeyRef != nil && in.Database != nil:
		return nodegraph.Lock{}, errors.New("a semaphore names both a ConfigMap and a database key")
	case in.ConfigMapKeyRef != nil:
		return nodegraph.Lock{Key: namespace + "/ConfigMap/" + in.ConfigMapKeyRef.Name + "/" + in.ConfigMapKeyRef.Key}, nil
	case in.Database != nil:
		return nodegraph.Lock{Key: namespace + "/Database/" + in.Database.Key}, nil
	}
	return nodegraph.Lock{}, errors.New("a semaphore names neither a ConfigMap nor a database key")
}

func (c *converter) mutex(in *mutex) (nodegraph.Lock, error) {
	if in.Name == "" {
		return nodegraph.Lock{}, errors.New("a mutex has no name")
	}
	kind := "/Mutex/"
	if in.Database {
		kind = "/Database/"
	}
	return nodegraph.Lock{Key: firstText(in.Namespace, c.w.Namespace) + kind + in.Name, Limit: 1}, nil
}
