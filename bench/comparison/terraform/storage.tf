# Models in a bucket, checkpoints in a file system, and who may read them.
variable "bucket" {
  type    = string
  default = "ack-inference-dev-models"
}

variable "model_folder" {
  type    = string
  default = "Qwen-7B-Chat-Int8"
}

resource "alicloud_oss_bucket" "models" {
  bucket          = var.bucket
  redundancy_type = "LRS"

  lifecycle_rule {
    id      = "forget-old-versions"
    prefix  = ""
    enabled = true
    expiration {
      expired_object_delete_marker = true
    }
    noncurrent_version_expiration {
      days = 30
    }
  }

  lifecycle_rule {
    id      = "abort-abandoned-uploads"
    prefix  = ""
    enabled = true
    abort_multipart_upload {
      days = 7
    }
  }
}

resource "alicloud_oss_bucket_acl" "models" {
  bucket = alicloud_oss_bucket.models.bucket
  acl    = "private"
}

resource "alicloud_oss_bucket_public_access_block" "models" {
  bucket              = alicloud_oss_bucket.models.bucket
  block_public_access = true
}

resource "alicloud_oss_bucket_versioning" "models" {
  bucket = alicloud_oss_bucket.models.bucket
  status = "Enabled"
}

resource "alicloud_oss_bucket_https_config" "models" {
  bucket       = alicloud_oss_bucket.models.bucket
  enable       = true
  tls_versions = ["TLSv1.2", "TLSv1.3"]
}

resource "alicloud_oss_bucket_server_side_encryption" "models" {
  bucket        = alicloud_oss_bucket.models.bucket
  sse_algorithm = "AES256"
}

resource "alicloud_ram_role" "qwen" {
  role_name   = "${var.name}-qwen"
  description = "For the service account ack-csi-fuse:csi-fuse-ossfs."
  assume_role_policy_document = jsonencode({
    Version = "1"
    Statement = [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Federated = [alicloud_cs_managed_kubernetes.cluster.rrsa_metadata[0].ram_oidc_provider_arn] }
      Condition = {
        StringEquals = {
          "oidc:aud" = ["sts.aliyuncs.com"]
          "oidc:iss" = [alicloud_cs_managed_kubernetes.cluster.rrsa_metadata[0].rrsa_oidc_issuer_url]
          "oidc:sub" = ["system:serviceaccount:ack-csi-fuse:csi-fuse-ossfs"]
        }
      }
    }]
  })
}

resource "alicloud_ram_policy" "qwen" {
  policy_name = "${var.name}-qwen"
  policy_document = jsonencode({
    Version = "1"
    Statement = [{
      Action = ["oss:Get*", "oss:List*"]
      Effect = "Allow"
      Resource = [
        "acs:oss:*:*:${var.bucket}",
        "acs:oss:*:*:${var.bucket}/${var.model_folder}/*",
      ]
    }]
  })
}

resource "alicloud_ram_role_policy_attachment" "qwen" {
  role_name   = alicloud_ram_role.qwen.role_name
  policy_name = alicloud_ram_policy.qwen.policy_name
  policy_type = "Custom"
}

resource "alicloud_nas_access_group" "checkpoints" {
  access_group_name = "${var.name}-checkpoints"
  access_group_type = "Vpc"
}

resource "alicloud_nas_access_rule" "checkpoints" {
  access_group_name = alicloud_nas_access_group.checkpoints.access_group_name
  source_cidr_ip    = alicloud_vpc.network.cidr_block
  rw_access_type    = "RDWR"
  user_access_type  = "no_squash"
  priority          = 1
}

resource "alicloud_nas_file_system" "checkpoints" {
  file_system_type = "standard"
  protocol_type    = "NFS"
  storage_type     = "Capacity"
  encrypt_type     = 1
}

resource "alicloud_nas_mount_target" "checkpoints" {
  file_system_id    = alicloud_nas_file_system.checkpoints.id
  access_group_name = alicloud_nas_access_group.checkpoints.access_group_name
  network_type      = "Vpc"
  vpc_id            = alicloud_vpc.network.id
  vswitch_id        = alicloud_vswitch.nodes.id
}

output "checkpoints_server" {
  value = alicloud_nas_mount_target.checkpoints.mount_target_domain
}
