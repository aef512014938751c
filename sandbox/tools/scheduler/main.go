// Runs the real kube-scheduler with what ACK documents of ResourcePolicy and of gang scheduling.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"

	"ack-inference.invalid/sandbox/tools/scheduler/gang"
	"ack-inference.invalid/sandbox/tools/scheduler/resourcepolicy"
)

func main() {
	os.Exit(cli.Run(app.NewSchedulerCommand(
		app.WithPlugin(gang.Name, gang.Start),
		app.WithPlugin(resourcepolicy.Name, resourcepolicy.Start),
	)))
}
