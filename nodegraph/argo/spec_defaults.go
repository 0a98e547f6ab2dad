package argo

// withDefaults fills in the fields of templateDefaults that a template does not set. Objects are filled in field by
// field, lists as a whole.
func withDefaults(in, d *template) *template {
	t := *in
	t.Daemon = either(t.Daemon, d.Daemon)
	t.Parallelism = either(t.Parallelism, d.Parallelism)
	t.FailFast = either(t.FailFast, d.FailFast)
	t.Memoize = either(t.Memoize, d.Memoize)
	t.Timeout = firstText(t.Timeout, d.Timeout)
	t.PendingTimeout = firstText(t.PendingTimeout, d.PendingTimeout)
	t.Outputs = either(t.Outputs, d.Outputs)
	t.RetryStrategy = retryDefaults(t.RetryStrategy, d.RetryStrategy)
	t.Synchronization = synchronizationDefaults(t.Synchronization, d.Synchronization)
	if t.Suspend != nil && d.Suspend != nil {
		t.Suspend = &suspend{Duration: firstText(t.Suspend.Duration, d.Suspend.Duration)}
	}
	if t.DAG != nil && d.DAG != nil {
		dag := *t.DAG
		dag.Target, dag.FailFast = firstText(dag.Target, d.DAG.Target), either(dag.FailFast, d.DAG.FailFast)
		t.DAG = &dag
	}
	return &t
}

func retryDefaults(in, d *retryStrategy) *retryStrategy {
	if in == nil || d == nil {
		return either(in, d)
	}
	s := *in
	s.Limit = either(s.Limit, d.Limit)
	s.RetryPolicy = firstText(s.RetryPolicy, d.RetryPolicy)
	s.Expression = firstText(s.Expression, d.Expression)
	if s.Backoff == nil || d.Backoff == nil {
		s.Backoff = either(s.Backoff, d.Backoff)
		return &s
	}
	b := *s.Backoff
	b.Duration = firstText(b.Duration, d.Backoff.Duration)
	b.Factor = either(b.Factor, d.Backoff.Factor)
	b.MaxDuration = firstText(b.MaxDuration, d.Backoff.MaxDuration)
	b.Cap = firstText(b.Cap, d.Backoff.Cap)
	s.Backoff = &b
	return &s
}

func synchronizationDefaults(in, d *synchronization) *synchronization {
	if in == nil || d == nil {
		return either(in, d)
	}
	s := *in
	s.Semaphore = either(s.Semaphore, d.Semaphore)
	s.Mutex = either(s.Mutex, d.Mutex)
	if s.Semaphores == nil {
		s.Semaphores = d.Semaphores
	}
	if s.Mutexes == nil {
		s.Mutexes = d.Mutexes
	}
	return &s
}

// either is a, or b where there is none.
func either[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

// firstText is a, or b where it is empty.
func firstText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
