// Command standin does what no process on one machine can do for Knative: be its gateway, its
// activator and the registries of images. It marks every KIngress as programmed, tells the
// autoscaler of requests in hand, over the activator's own channel and in its own format, and
// answers a controller that takes it for its proxy with the digest of any image.
//
// How many requests there are is read from the ConfigMap sandbox-requests beside Knative's own: a
// key is <namespace>.<Knative Service>, a value the number of requests in hand, which are split
// over its revisions as its Route says. No request is sent to anybody.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/zap"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	networking "knative.dev/networking/pkg/client/clientset/versioned"
	channel "knative.dev/pkg/websocket"
	"knative.dev/serving/pkg/autoscaler/metrics"
	serving "knative.dev/serving/pkg/client/clientset/versioned"
)

const (
	namespace = "knative-serving"
	requests  = "sandbox-requests"
	name      = "activator"
	period    = time.Second // as often as the activator reports
)

type standIn struct {
	core       kubernetes.Interface
	networking networking.Interface
	serving    serving.Interface
	autoscaler *channel.ManagedConnection
	reported   map[types.NamespacedName]bool
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "access to the cluster")
	autoscaler := flag.String("autoscaler", "", "address of the autoscaler, such as ws://127.0.0.1:8080")
	registry := flag.String("registry", "", "address to listen on as a proxy to every registry")
	certificate := flag.String("certificate", "", "file for the certificate of every registry")
	flag.Parse()
	if err := serveRegistries(*registry, *certificate); err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig, *autoscaler); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, kubeconfig, autoscaler string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	config.QPS, config.Burst = 100, 200
	connection := channel.NewDurableSendingConnection(autoscaler, zap.NewNop().Sugar())
	defer connection.Shutdown()
	worker := standIn{
		core:       kubernetes.NewForConfigOrDie(config),
		networking: networking.NewForConfigOrDie(config),
		serving:    serving.NewForConfigOrDie(config),
		autoscaler: connection,
		reported:   map[types.NamespacedName]bool{},
	}
	for ticker := time.NewTicker(period); ; {
		if err := errors.Join(worker.program(ctx), worker.report(ctx)); err != nil && ctx.Err() == nil {
			log.Print(err) // the next round tries again
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// program marks every KIngress as served, as a gateway does once its proxies have its routes.
func (s *standIn) program(ctx context.Context) error {
	all := s.networking.NetworkingV1alpha1().Ingresses(metav1.NamespaceAll)
	list, err := all.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing KIngresses: %w", err)
	}
	gateway := []v1alpha1.LoadBalancerIngressStatus{{DomainInternal: "gateway." + namespace + ".svc.cluster.local"}}
	for i := range list.Items {
		ingress := &list.Items[i]
		if ingress.IsReady() && ingress.Status.ObservedGeneration == ingress.Generation {
			continue
		}
		ingress.Status.InitializeConditions()
		ingress.Status.MarkNetworkConfigured()
		ingress.Status.MarkLoadBalancerReady(gateway, gateway)
		ingress.Status.ObservedGeneration = ingress.Generation
		own := s.networking.NetworkingV1alpha1().Ingresses(ingress.Namespace)
		if _, err := own.UpdateStatus(ctx, ingress, metav1.UpdateOptions{}); err != nil && !apierrors.IsConflict(err) {
			return fmt.Errorf("marking KIngress %s: %w", ingress.Name, err)
		}
	}
	return nil
}

// report tells the autoscaler how many requests each revision has in hand, and once that it has
// none any more.
func (s *standIn) report(ctx context.Context) error {
	inHand, err := s.inHand(ctx)
	if err != nil {
		return err
	}
	for revision := range s.reported {
		if _, busy := inHand[revision]; !busy {
			inHand[revision] = 0
			delete(s.reported, revision)
		}
	}
	if len(inHand) == 0 {
		return nil
	}
	var messages []metrics.StatMessage
	for revision, count := range inHand {
		stat := metrics.Stat{PodName: name, AverageConcurrentRequests: count, RequestCount: count}
		messages = append(messages, metrics.StatMessage{Key: revision, Stat: stat})
		if count > 0 {
			s.reported[revision] = true
		}
	}
	wire := metrics.ToWireStatMessages(messages)
	bytes, err := wire.Marshal()
	if err != nil {
		return fmt.Errorf("writing statistics: %w", err)
	}
	if err := s.autoscaler.SendRaw(websocket.BinaryMessage, bytes); err != nil {
		return fmt.Errorf("telling the autoscaler: %w", err)
	}
	return nil
}

func (s *standIn) inHand(ctx context.Context) (map[types.NamespacedName]float64, error) {
	counts := map[types.NamespacedName]float64{}
	config, err := s.core.CoreV1().ConfigMaps(namespace).Get(ctx, requests, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return counts, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading ConfigMap %s: %w", requests, err)
	}
	routes, err := s.serving.ServingV1().Routes(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing Routes: %w", err)
	}
	for _, route := range routes.Items {
		count, err := strconv.ParseFloat(config.Data[route.Namespace+"."+route.Name], 64)
		if err != nil || count <= 0 {
			continue
		}
		for _, target := range route.Status.Traffic {
			if target.Percent != nil && *target.Percent > 0 {
				key := types.NamespacedName{Namespace: route.Namespace, Name: target.RevisionName}
				counts[key] += count * float64(*target.Percent) / 100
			}
		}
	}
	return counts, nil
}
