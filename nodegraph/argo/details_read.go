package argo

import "time"

// How the parts of an object are read that tell [Details].

// detailsMeta is what metadata says besides names.
type detailsMeta struct {
	Details
	managed []managedField
}

func (m *detailsMeta) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "resourceVersion":
			return readText(&m.ResourceVersion, s)
		case "creationTimestamp":
			return readTime(&m.Created, s)
		case "deletionTimestamp":
			return readTime(&m.Deleted, s)
		case "finalizers":
			return readList(&m.Finalizers, s, readText)
		case "managedFields":
			return readList(&m.managed, s, (*managedField).read)
		case "labels":
			return s.inside(LabelCompleted, func() error {
				var text string
				err := readText(&text, s)
				m.Unwatched = text == "true"
				return err
			})
		case "annotations":
			return s.object(func(key string) error {
				if key == AnnotationHealed {
					return readTime(&m.Healed, s)
				}
				return s.skip()
			})
		}
		return s.skip()
	})
}

// A managedField says who set which fields, and when.
type managedField struct {
	at    time.Time
	stops bool // spec.shutdown is among them
}

func (f *managedField) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "time":
			return readTime(&f.at, s)
		case "fieldsV1":
			return s.inside("f:spec", func() error {
				return s.inside("f:shutdown", func() error {
					f.stops = s.peek() != 'n'
					return s.skip()
				})
			})
		}
		return s.skip()
	})
}

// inside reads what stands under one key of the object that comes next.
func (s *scanner) inside(wanted string, read func() error) error {
	return s.object(func(key string) error {
		if key == wanted {
			return read()
		}
		return s.skip()
	})
}

// lockStatus is status.synchronization.
type lockStatus struct{ mutex, semaphore lockUses }

// lockUses are the uses of one kind of lock.
type lockUses struct{ holding, waiting []LockUse }

func (l *lockStatus) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "mutex":
			return l.mutex.read(s)
		case "semaphore":
			return l.semaphore.read(s)
		}
		return s.skip()
	})
}

func (l *lockUses) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "holding":
			return readList(&l.holding, s, (*LockUse).read)
		case "waiting":
			return readList(&l.waiting, s, (*LockUse).read)
		}
		return s.skip()
	})
}

// read reads an entry: a mutex has one holder, a semaphore several.
func (u *LockUse) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "mutex", "semaphore":
			return readText(&u.Key, s)
		case "holder":
			holder, err := s.str()
			if holder != "" {
				u.Users = []string{holder}
			}
			return err
		case "holders":
			return readList(&u.Users, s, readText)
		}
		return s.skip()
	})
}
