package argo

// How the types of types.go are read. What has no case is not looked at.

func (m *metadata) read(s *scanner) error {
	return s.object(func(key string) error { return m.field(key, s) })
}

func (m *metadata) field(key string, s *scanner) error {
	switch key {
	case "name":
		return readText(&m.Name, s)
	case "generateName":
		return readText(&m.GenerateName, s)
	case "namespace":
		return readText(&m.Namespace, s)
	case "uid":
		return readText(&m.UID, s)
	case "creationTimestamp":
		return readTime(&m.Created, s)
	case "resourceVersion":
		return readText(&m.Version, s)
	case "labels":
		return readMap(&m.Labels, s, readText)
	case "annotations":
		return readMap(&m.Annotations, s, readText)
	}
	return s.skip()
}

func (p *spec) read(s *scanner) error {
	return s.object(func(key string) error { return p.field(key, s) })
}

func (p *spec) field(key string, s *scanner) error {
	switch key {
	case "entrypoint":
		return readText(&p.Entrypoint, s)
	case "templates":
		return readList(&p.Templates, s, (*template).read)
	case "templateDefaults":
		return readOptional(&p.TemplateDefaults, s, (*template).read)
	case "onExit":
		return readText(&p.OnExit, s)
	case "hooks":
		return readMap(&p.Hooks, s, (*hook).read)
	case "parallelism":
		return readOptional(&p.Parallelism, s, readInt)
	case "activeDeadlineSeconds":
		return readOptional(&p.ActiveDeadlineSeconds, s, readInt64)
	case "synchronization":
		return readOptional(&p.Synchronization, s, (*synchronization).read)
	case "retryStrategy":
		return readOptional(&p.RetryStrategy, s, (*retryStrategy).read)
	case "shutdown":
		return readText(&p.Shutdown, s)
	case "suspend":
		return readOptional(&p.Suspend, s, readFlag)
	case "priority":
		return readInt32(&p.Priority, s)
	case "ttlStrategy":
		return readOptional(&p.TTLStrategy, s, (*ttlStrategy).read)
	case "workflowTemplateRef":
		return readOptional(&p.WorkflowTemplateRef, s, (*templateRef).read)
	case "serviceAccountName":
		return readText(&p.ServiceAccountName, s)
	case "arguments":
		return p.Arguments.read(s)
	}
	return s.skip()
}

func (a *arguments) read(s *scanner) error {
	return s.object(func(key string) error {
		if key == "parameters" {
			return readList(&a.Parameters, s, (*parameter).read)
		}
		return s.skip()
	})
}

func (p *parameter) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "name":
			return readText(&p.Name, s)
		case "value":
			return readOptional(&p.Value, s, (*anyString).read)
		case "default":
			return readOptional(&p.Default, s, (*anyString).read)
		}
		return s.skip()
	})
}

func (t *ttlStrategy) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "secondsAfterCompletion":
			return readOptional(&t.Completion, s, readInt64)
		case "secondsAfterSuccess":
			return readOptional(&t.Success, s, readInt64)
		case "secondsAfterFailure":
			return readOptional(&t.Failure, s, readInt64)
		}
		return s.skip()
	})
}

func (t *template) read(s *scanner) error {
	return s.object(func(key string) error { return t.field(key, s) })
}

func (t *template) field(key string, s *scanner) error {
	switch key {
	case "name":
		return readText(&t.Name, s)
	case "inputs":
		return t.Inputs.read(s)
	case "container":
		return readOptional(&t.Container, s, (*present).read)
	case "script":
		return readOptional(&t.Script, s, (*present).read)
	case "resource":
		return readOptional(&t.Resource, s, (*present).read)
	case "data":
		return readOptional(&t.Data, s, (*present).read)
	case "http":
		return readOptional(&t.HTTP, s, (*present).read)
	case "plugin":
		return readOptional(&t.Plugin, s, (*present).read)
	case "containerSet":
		return readOptional(&t.ContainerSet, s, (*containerSet).read)
	case "dag":
		return readOptional(&t.DAG, s, (*dag).read)
	case "steps":
		return readList(&t.Steps, s, readTasks)
	case "suspend":
		return readOptional(&t.Suspend, s, (*suspend).read)
	case "retryStrategy":
		return readOptional(&t.RetryStrategy, s, (*retryStrategy).read)
	case "synchronization":
		return readOptional(&t.Synchronization, s, (*synchronization).read)
	case "memoize":
		return readOptional(&t.Memoize, s, (*memoize).read)
	}
	return t.setting(key, s)
}

// setting reads the fields of a template that do not say what runs.
func (t *template) setting(key string, s *scanner) error {
	switch key {
	case "daemon":
		return readOptional(&t.Daemon, s, readFlag)
	case "parallelism":
		return readOptional(&t.Parallelism, s, readInt)
	case "failFast":
		return readOptional(&t.FailFast, s, readFlag)
	case "timeout":
		return readText(&t.Timeout, s)
	case "pendingTimeout":
		return readText(&t.PendingTimeout, s)
	case "outputs":
		return readOptional(&t.Outputs, s, (*present).read)
	}
	return s.skip()
}

func (*present) read(s *scanner) error { return s.skip() }

func (m *memoize) read(s *scanner) error {
	return s.object(func(key string) error {
		if key == "key" {
			return readText(&m.Key, s)
		}
		return s.skip()
	})
}

func (c *containerSet) read(s *scanner) error {
	return s.object(func(key string) error {
		if key == "containers" {
			return readList(&c.Containers, s, (*container).read)
		}
		return s.skip()
	})
}

func (c *container) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "name":
			return readText(&c.Name, s)
		case "dependencies":
			return readList(&c.Dependencies, s, readText)
		}
		return s.skip()
	})
}

func (d *dag) read(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "tasks":
			return readTasks(&d.Tasks, s)
		case "target":
			return readText(&d.Target, s)
		case "failFast":
			return readOptional(&d.FailFast, s, readFlag)
		}
		return s.skip()
	})
}

func (d *suspend) read(s *scanner) error {
	return s.object(func(key string) error {
		if key == "duration" {
			return readText(&d.Duration, s)
		}
		return s.skip()
	})
}
