package diagnose

import (
	"github.com/nodestatus/nodestatus/nodegraph"
)

// unknownPods finds pods of nodes that are neither on record nor about to be. Pods that name no node, such as that of
// an agent, are not looked at.
func (d *diagnosis) unknownPods() {
	if len(d.in.Snapshot.Nodes) == 0 {
		return
	}
	names := make(map[string]bool, len(d.in.Snapshot.Nodes))
	for k := range d.in.Snapshot.Nodes {
		names[d.in.Snapshot.Nodes[k].Name] = true
	}
	for k := range d.in.Pods {
		p := &d.in.Pods[k]
		if p.Node == "" || d.record.byID[p.Node] != nil || names[p.Node] {
			continue
		}
		young := !p.Created.IsZero() && d.in.Now.Sub(p.Created) < d.in.Patience
		if i := d.g.Find(p.Node); young || i > nodegraph.Root && d.engine.Exists(i) {
			continue // the controller stores the node after it has made the pod
		}
		d.report.Findings = append(d.report.Findings, Finding{
			Kind: UnknownPod, Node: Node{ID: p.Node, Name: p.Node, Type: nodegraph.KindPod}, Pod: p.Name,
			Reason: "pod " + p.Name + " exists (" + string(p.Phase) + ") and no node of the workflow asked for it",
			Remedy: "delete pod " + p.Name,
		})
	}
}
