package propagatetest

import (
	"time"

	"github.com/nodestatus/nodestatus/propagate"
)

// podObjects are pods as Kubernetes has them.
func podObjects(pods []propagate.PodStatus) []object {
	list := make([]object, 0, len(pods))
	for k := range pods {
		p := &pods[k]
		metadata := object{"annotations": object{"workflows.argoproj.io/node-id": p.Node}}
		set(metadata, "name", p.Name)
		set(metadata, "uid", p.UID)
		setTime(metadata, "creationTimestamp", p.Created)
		status := object{"phase": p.Phase}
		set(status, "reason", p.Reason)
		set(status, "message", p.Message)
		setList(status, "conditions", conditionObjects(p))
		setList(status, "initContainerStatuses", containerObjects(p.Init))
		setList(status, "containerStatuses", containerObjects(p.Containers))
		list = append(list, object{"metadata": metadata, "status": status})
	}
	return list
}

func setList(o object, key string, list []any) {
	if len(list) > 0 {
		o[key] = list
	}
}

func setTime(o object, key string, t time.Time) {
	if !t.IsZero() {
		o[key] = t
	}
}

func conditionObjects(p *propagate.PodStatus) []any {
	var list []any
	if p.Unschedulable {
		list = append(list, object{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": p.UnschedulableMessage})
	}
	for _, c := range p.Conditions {
		list = append(list, object{"type": c, "status": "True"})
	}
	return list
}

func containerObjects(containers []propagate.ContainerStatus) []any {
	var list []any
	for k := range containers {
		c := &containers[k]
		why, state := object{}, object{}
		set(why, "reason", c.Reason)
		set(why, "message", c.Message)
		switch {
		case c.Waiting:
			state["waiting"] = why
		case c.Running:
			state["running"] = object{}
		case c.Terminated:
			why["exitCode"] = c.ExitCode
			setTime(why, "finishedAt", c.Finished)
			state["terminated"] = why
		}
		list = append(list, object{"name": c.Name, "ready": c.Ready, "state": state})
	}
	return list
}
