package argo

// How tasks and what they hold are read.

func readTasks(into *[]task, s *scanner) error { return readList(into, s, (*task).read) }

func (t *task) read(s *scanner) error {
	return s.object(func(key string) error { return t.field(key, s) })
}

func (t *task) field(key string, s *scanner) error {
	switch key {
	case "name":
		return readText(&t.Name, s)
	case "template":
		return readText(&t.Template, s)
	case "templateRef":
		return readOptional(&t.TemplateRef, s, (*templateRef).read)
	case "inline":
		return readOptional(&t.Inline, s, (*template).read)
	case "dependencies":
		return readList(&t.Dependencies, s, readText)
	case "depends":
		return readText(&t.Depends, s)
	case "when":
		return readText(&t.When, s)
	case "withItems":
		return readList(&t.WithItems, s, (*rawText).read)
	case "withParam":
		return readText(&t.WithParam, s)
	case "withSequence":
		return readOptional(&t.WithSequence, s, (*sequence).read)
	case "continueOn":
		return readOptional(&t.ContinueOn, s, (*continueOn).read)
	case "hooks":
		return readMap(&t.Hooks, s, (*hook).read)
	case "onExit":
		return readText(&t.OnExit, s)
	case "arguments":
		return t.Arguments.read(s)
	}
	return s.skip()
}

func (c *continueOn) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "error":
			return readFlag(&c.Error, s)
		case "failed":
			return readFlag(&c.Failed, s)
		}
		return s.skip()
	})
}

func (h *hook) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "template":
			return readText(&h.Template, s)
		case "templateRef":
			return readOptional(&h.TemplateRef, s, (*templateRef).read)
		case "expression":
			return readText(&h.Expression, s)
		case "arguments":
			return h.Arguments.read(s)
		}
		return s.skip()
	})
}

func (c *call) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "template":
			return readText(&c.Template, s)
		case "templateRef":
			return readOptional(&c.TemplateRef, s, (*templateRef).read)
		case "inline":
			return readOptional(&c.Inline, s, (*template).read)
		case "arguments":
			return c.Arguments.read(s)
		}
		return s.skip()
	})
}

func (q *sequence) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "count":
			return readOptional(&q.Count, s, (*intOrString).read)
		case "start":
			return readOptional(&q.Start, s, (*intOrString).read)
		case "end":
			return readOptional(&q.End, s, (*intOrString).read)
		case "format":
			return readText(&q.Format, s)
		}
		return s.skip()
	})
}

func (r *templateRef) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "name":
			return readText(&r.Name, s)
		case "template":
			return readText(&r.Template, s)
		case "clusterScope":
			return readFlag(&r.ClusterScope, s)
		}
		return s.skip()
	})
}

func (r *retryStrategy) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "limit":
			return readOptional(&r.Limit, s, (*intOrString).read)
		case "retryPolicy":
			return readText(&r.RetryPolicy, s)
		case "backoff":
			return readOptional(&r.Backoff, s, (*backoff).read)
		case "expression":
			return readText(&r.Expression, s)
		}
		return s.skip()
	})
}

func (b *backoff) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "duration":
			return readText(&b.Duration, s)
		case "factor":
			return readOptional(&b.Factor, s, (*intOrString).read)
		case "maxDuration":
			return readText(&b.MaxDuration, s)
		case "cap":
			return readText(&b.Cap, s)
		}
		return s.skip()
	})
}

func (y *synchronization) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "semaphore":
			return readOptional(&y.Semaphore, s, (*semaphore).read)
		case "semaphores":
			return readList(&y.Semaphores, s, (*semaphore).read)
		case "mutex":
			return readOptional(&y.Mutex, s, (*mutex).read)
		case "mutexes":
			return readList(&y.Mutexes, s, (*mutex).read)
		}
		return s.skip()
	})
}

func (m *semaphore) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "configMapKeyRef":
			return readOptional(&m.ConfigMapKeyRef, s, (*lockKey).read)
		case "database":
			return readOptional(&m.Database, s, (*lockKey).read)
		case "namespace":
			return readText(&m.Namespace, s)
		}
		return s.skip()
	})
}

func (k *lockKey) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "name":
			return readText(&k.Name, s)
		case "key":
			return readText(&k.Key, s)
		}
		return s.skip()
	})
}

func (m *mutex) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "name":
			return readText(&m.Name, s)
		case "namespace":
			return readText(&m.Namespace, s)
		case "database":
			return readFlag(&m.Database, s)
		}
		return s.skip()
	})
}

func (v *intOrString) read(s *scanner) (err error) {
	text := ""
	switch c := s.peek(); c {
	case '"':
		text, err = s.str()
	case '{', '[':
		return &typeError{want: "a number or a string", found: describeValue(c)}
	default:
		text, err = s.raw()
	}
	*v = intOrString(text)
	return err
}

func (v *anyString) read(s *scanner) (err error) {
	text := ""
	if s.peek() == '"' {
		text, err = s.str()
	} else {
		text, err = s.raw()
	}
	*v = anyString(text)
	return err
}

func (t *rawText) read(s *scanner) error {
	text, err := s.raw()
	*t = rawText(text)
	return err
}
