// Command knative runs Knative's own defaulting and validation on Services, as its webhook would.
//
// It reads one JSON object from standard input: "features" and "defaults" are the data of the
// ConfigMaps config-features and config-defaults, "services" is a list of Services. It writes a
// JSON list with one text per Service: what the webhook would answer, or "" where it accepts.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"knative.dev/pkg/apis"
	"knative.dev/serving/pkg/apis/config"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

type request struct {
	Features map[string]string    `json:"features"`
	Defaults map[string]string    `json:"defaults"`
	Services []*servingv1.Service `json:"services"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var asked request
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	ctx, err := webhookContext(asked)
	if err != nil {
		return err
	}
	answers := make([]string, 0, len(asked.Services))
	for _, service := range asked.Services {
		answer, err := judge(ctx, service)
		if err != nil {
			return err
		}
		answers = append(answers, answer)
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

// judge passes a Service through JSON between the two steps, as the API server does between the two
// webhooks: empty lists are gone by then. Warnings do not refuse.
func judge(ctx context.Context, service *servingv1.Service) (string, error) {
	service.SetDefaults(ctx)
	text, err := json.Marshal(service)
	if err != nil {
		return "", fmt.Errorf("writing a Service: %w", err)
	}
	var stored servingv1.Service
	if err := json.Unmarshal(text, &stored); err != nil {
		return "", fmt.Errorf("reading a Service: %w", err)
	}
	if refusal := stored.Validate(ctx).Filter(apis.ErrorLevel); refusal != nil {
		return refusal.Error(), nil
	}
	return "", nil
}

func webhookContext(asked request) (context.Context, error) {
	features, err := config.NewFeaturesConfigFromMap(asked.Features)
	if err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	defaults, err := config.NewDefaultsConfigFromMap(asked.Defaults)
	if err != nil {
		return nil, fmt.Errorf("defaults: %w", err)
	}
	configured := config.FromContextOrDefaults(context.Background())
	configured.Features, configured.Defaults = features, defaults
	return apis.WithinCreate(config.ToContext(context.Background(), configured)), nil
}
