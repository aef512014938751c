# The cloud of the stack dev, as one writes it in Terraform.
terraform {
  required_version = ">= 1.9"
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = "~> 1.262"
    }
  }
}

provider "alicloud" {
  region = var.region
}

variable "region" {
  type    = string
  default = "cn-beijing"
}

variable "name" {
  type    = string
  default = "ack-inference-dev"
}

variable "zone" {
  type    = string
  default = "cn-beijing-h"
}

variable "pools" {
  type = map(object({
    instance_types = list(string)
    gpu            = bool
    size           = optional(number)
    min            = optional(number)
    max            = optional(number)
  }))
  default = {
    system = { instance_types = ["ecs.g7.2xlarge"], gpu = false, size = 2 }
    a10    = { instance_types = ["ecs.gn7i-c32g1.8xlarge"], gpu = true, size = 2 }
    t4     = { instance_types = ["ecs.gn6i-c24g1.6xlarge"], gpu = true, min = 0, max = 4 }
    cache  = { instance_types = ["ecs.g8i.24xlarge"], gpu = false, size = 2 }
  }
}

locals {
  fixed   = { for name, pool in var.pools : name => pool if pool.size != null }
  elastic = { for name, pool in var.pools : name => pool if pool.size == null }
}

resource "alicloud_vpc" "network" {
  vpc_name   = "network"
  cidr_block = "10.0.0.0/16"
}

resource "alicloud_vswitch" "nodes" {
  vpc_id       = alicloud_vpc.network.id
  zone_id      = var.zone
  cidr_block   = "10.0.0.0/20"
  vswitch_name = "nodes-${var.zone}"
}

resource "alicloud_vswitch" "pods" {
  vpc_id       = alicloud_vpc.network.id
  zone_id      = var.zone
  cidr_block   = "10.0.64.0/18"
  vswitch_name = "pods-${var.zone}"
}

resource "alicloud_nat_gateway" "nat" {
  vpc_id               = alicloud_vpc.network.id
  vswitch_id           = alicloud_vswitch.nodes.id
  nat_gateway_name     = "nat"
  nat_type             = "Enhanced"
  payment_type         = "PayAsYouGo"
  internet_charge_type = "PayByLcu"
}

resource "alicloud_eip_address" "nat" {
  address_name         = "nat"
  bandwidth            = "200"
  internet_charge_type = "PayByTraffic"
  payment_type         = "PayAsYouGo"
}

resource "alicloud_eip_association" "nat" {
  allocation_id = alicloud_eip_address.nat.id
  instance_id   = alicloud_nat_gateway.nat.id
  instance_type = "Nat"
}

resource "alicloud_snat_entry" "nodes" {
  snat_table_id     = alicloud_nat_gateway.nat.snat_table_ids
  source_vswitch_id = alicloud_vswitch.nodes.id
  snat_ip           = alicloud_eip_address.nat.ip_address
  depends_on        = [alicloud_eip_association.nat]
}

resource "alicloud_snat_entry" "pods" {
  snat_table_id     = alicloud_nat_gateway.nat.snat_table_ids
  source_vswitch_id = alicloud_vswitch.pods.id
  snat_ip           = alicloud_eip_address.nat.ip_address
  depends_on        = [alicloud_eip_association.nat]
}

resource "alicloud_log_project" "logs" {
  project_name = "${var.name}-${var.region}"
  description  = "Audit and control plane logs of ${var.name}."
}

resource "alicloud_cs_managed_kubernetes" "cluster" {
  name                           = var.name
  cluster_spec                   = "ack.pro.small"
  vswitch_ids                    = [alicloud_vswitch.nodes.id]
  pod_vswitch_ids                = [alicloud_vswitch.pods.id]
  service_cidr                   = "192.168.0.0/20"
  new_nat_gateway                = false
  slb_internet_enabled           = false
  enable_rrsa                    = true
  deletion_protection            = false
  skip_set_certificate_authority = true
  control_plane_log_project      = alicloud_log_project.logs.project_name
  control_plane_log_ttl          = "30"
  control_plane_log_components   = ["apiserver", "kcm", "scheduler", "ccm", "controlplane-events"]

  audit_log_config {
    enabled          = true
    sls_project_name = alicloud_log_project.logs.project_name
  }

  dynamic "addons" {
    for_each = ["terway-eniip", "csi-plugin", "csi-provisioner"]
    content {
      name = addons.value
    }
  }

  depends_on = [alicloud_snat_entry.nodes, alicloud_snat_entry.pods]
}

resource "alicloud_cs_kubernetes_addon" "identity" {
  cluster_id = alicloud_cs_managed_kubernetes.cluster.id
  name       = "ack-pod-identity-webhook"
}

resource "alicloud_cs_kubernetes_addon" "knative" {
  cluster_id = alicloud_cs_managed_kubernetes.cluster.id
  name       = "knative"
  depends_on = [alicloud_cs_kubernetes_node_pool.fixed]
}

resource "alicloud_cs_autoscaling_config" "autoscaling" {
  cluster_id                    = alicloud_cs_managed_kubernetes.cluster.id
  scaler_type                   = "goatscaler"
  expander                      = "least-waste"
  cool_down_duration            = "10m"
  unneeded_duration             = "10m"
  scan_interval                 = "30s"
  utilization_threshold         = "0.5"
  gpu_utilization_threshold     = "0.5"
  scale_up_from_zero            = true
  scale_down_enabled            = true
  skip_nodes_with_system_pods   = true
  skip_nodes_with_local_storage = false
  daemonset_eviction_for_nodes  = false
  max_graceful_termination_sec  = 14400
}

resource "alicloud_cs_kubernetes_node_pool" "fixed" {
  for_each                      = local.fixed
  cluster_id                    = alicloud_cs_managed_kubernetes.cluster.id
  node_pool_name                = each.key
  vswitch_ids                   = [alicloud_vswitch.nodes.id]
  instance_types                = each.value.instance_types
  desired_size                  = each.value.size
  image_type                    = "AliyunLinux3"
  install_cloud_monitor         = true
  system_disk_category          = "cloud_essd"
  system_disk_size              = 120
  system_disk_encrypted         = true
  system_disk_encrypt_algorithm = "aes-256"

  management {
    enable          = true
    auto_repair     = true
    auto_upgrade    = false
    max_unavailable = 1
  }

  instance_metadata_options {
    http_tokens = "required"
  }

  dynamic "labels" {
    for_each = each.value.gpu ? [1] : []
    content {
      key   = "ack.node.gpu.schedule"
      value = "default"
    }
  }

  dynamic "taints" {
    for_each = each.value.gpu ? [1] : []
    content {
      key    = "nvidia.com/gpu"
      value  = "present"
      effect = "NoSchedule"
    }
  }
}

resource "alicloud_cs_kubernetes_node_pool" "elastic" {
  for_each                      = local.elastic
  cluster_id                    = alicloud_cs_managed_kubernetes.cluster.id
  node_pool_name                = each.key
  vswitch_ids                   = [alicloud_vswitch.nodes.id]
  instance_types                = each.value.instance_types
  image_type                    = "AliyunLinux3"
  install_cloud_monitor         = true
  system_disk_category          = "cloud_essd"
  system_disk_size              = 120
  system_disk_encrypted         = true
  system_disk_encrypt_algorithm = "aes-256"

  scaling_config {
    enable   = true
    type     = each.value.gpu ? "gpu" : "cpu"
    min_size = each.value.min
    max_size = each.value.max
  }

  management {
    enable          = true
    auto_repair     = true
    auto_upgrade    = false
    max_unavailable = 1
  }

  instance_metadata_options {
    http_tokens = "required"
  }

  dynamic "labels" {
    for_each = each.value.gpu ? [1] : []
    content {
      key   = "ack.node.gpu.schedule"
      value = "default"
    }
  }

  dynamic "taints" {
    for_each = each.value.gpu ? [1] : []
    content {
      key    = "nvidia.com/gpu"
      value  = "present"
      effect = "NoSchedule"
    }
  }

  depends_on = [alicloud_cs_autoscaling_config.autoscaling]
}
