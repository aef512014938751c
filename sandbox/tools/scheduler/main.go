// Runs the real kube-scheduler with what ACK documents of ResourcePolicy.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"

	"ack-inference.invalid/sandbox/tools/scheduler/resourcepolicy"
)

func main() {
	os.Exit(cli.Run(app.NewSchedulerCommand(app.WithPlugin(resourcepolicy.Name, resourcepolicy.Start))))
}
