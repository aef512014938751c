/** One model on an ACK cluster that is there already: Qwen on A10, scaled on its requests. */

import * as ack from "@pulumi/ack-inference";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const namespace = config.require("namespace");
const labels = { app: "qwen" };

const cluster = new kubernetes.Provider("cluster", { kubeconfig: config.requireSecret("kubeconfig") });

const placement = new ack.Placement(
  "qwen",
  {
    namespace,
    selector: labels,
    pools: [{ name: "a10", nodeSelector: { "aliyun.accelerator/nvidia_name": "NVIDIA-A10" } }],
  },
  { providers: [cluster] },
);

const qwen = new ack.KnativeModel(
  "qwen",
  {
    namespace,
    labels,
    claim: config.require("claim"),
    subPath: "Qwen2.5-7B-Instruct",
    server: {
      image: "docker.io/vllm/vllm-openai:v0.28.0",
      mountPath: "/mnt/models/qwen",
      resources: { cpu: "8", memory: "48Gi", gpus: 1 },
      vllm: { servedModelName: "qwen", maxModelLen: 8192 },
    },
    serve: { scale: { target: 4, min: 0, max: 2 } },
  },
  { providers: [cluster], dependsOn: [placement] },
);

export const host = qwen.host;
