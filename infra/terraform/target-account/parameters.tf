# Written by infra/terraform/generate.py from infra/target-account.yaml: change it there, then run `make terraform`.

variable "planner_role_arn" {
  type        = string
  description = "Output PlannerRoleArn of the stack in the source account."
  nullable    = false
  validation {
    condition     = can(regex("^arn:aws[a-zA-Z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$", var.planner_role_arn))
    error_message = "planner_role_arn must be the ARN of an IAM role."
  }
}

variable "copier_role_arn" {
  type        = string
  description = "Output CopierRoleArn of the stack in the source account."
  nullable    = false
  validation {
    condition     = can(regex("^arn:aws[a-zA-Z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$", var.copier_role_arn))
    error_message = "copier_role_arn must be the ARN of an IAM role."
  }
}

variable "reporter_role_arn" {
  type        = string
  description = "Output ReporterRoleArn of the stack in the source account."
  nullable    = false
  validation {
    condition     = can(regex("^arn:aws[a-zA-Z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$", var.reporter_role_arn))
    error_message = "reporter_role_arn must be the ARN of an IAM role."
  }
}

variable "renderer_role_arn" {
  type        = string
  description = "Output RendererRoleArn of the stack in the source account, where that has EnableTransforms. Empty, and nothing but S3 itself reads and writes bytes with the role."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^$|^arn:aws[a-zA-Z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$", var.renderer_role_arn))
    error_message = "renderer_role_arn must be empty, or the ARN of an IAM role."
  }
}

variable "external_id" {
  type        = string
  description = "The same value as TargetExternalId in the source account."
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@:/_-]{2,}$", var.external_id))
    error_message = "external_id must be 2 to 1,224 characters of letters, digits and +=,.@:/_-."
  }
  validation {
    condition     = length(var.external_id) <= 1224
    error_message = "external_id must be 2 to 1,224 characters of letters, digits and +=,.@:/_-."
  }
}

variable "role_name" {
  type        = string
  description = "The name of the role; TargetAccountRoleArn in the source account ends with it."
  default     = "shardlift-target"
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9+=.@_-]{1,64}$", var.role_name))
    error_message = "role_name must be 1 to 64 characters of letters, digits and +=.@_-."
  }
}

variable "source_account_id" {
  type        = string
  description = "The account that owns the source bucket."
  nullable    = false
  validation {
    condition     = can(regex("^[0-9]{12}$", var.source_account_id))
    error_message = "source_account_id must be 12 digits."
  }
}

variable "source_bucket_name" {
  type        = string
  description = "The bucket to copy from."
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{3,255}$", var.source_bucket_name))
    error_message = "source_bucket_name must be a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens, or one from before March 2018."
  }
}

variable "source_prefix" {
  type        = string
  description = "The prefix to copy from; empty for the whole bucket."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^[^*?$]{0,}$", var.source_prefix))
    error_message = "source_prefix must be at most 1,024 characters without * ? $, which have a meaning of their own in a policy."
  }
  validation {
    condition     = length(var.source_prefix) <= 1024
    error_message = "source_prefix must be at most 1,024 characters without * ? $, which have a meaning of their own in a policy."
  }
}

variable "target_bucket_name" {
  type        = string
  description = "The bucket in this account to copy to."
  nullable    = false
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.target_bucket_name))
    error_message = "target_bucket_name must be a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "target_prefix" {
  type        = string
  description = "The prefix to copy to; this role cannot write anything outside it."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^[^*?$]{0,}$", var.target_prefix))
    error_message = "target_prefix must be at most 1,024 characters without * ? $, which have a meaning of their own in a policy."
  }
  validation {
    condition     = length(var.target_prefix) <= 1024
    error_message = "target_prefix must be at most 1,024 characters without * ? $, which have a meaning of their own in a policy."
  }
}

variable "create_target_bucket" {
  type        = bool
  description = "Whether this stack creates the target bucket. Set false if it already exists."
  default     = false
  nullable    = false
}

variable "noncurrent_version_expiry_days" {
  type        = number
  description = "For a target bucket that this stack creates, which is versioned: the days until a version that a run has overwritten or deleted is permanently removed; the current one never is. 0 keeps all versions, and the bucket then grows with every copy and mirror. Only below TargetPrefix."
  default     = 90
  nullable    = false
  validation {
    condition     = var.noncurrent_version_expiry_days >= 0
    error_message = "noncurrent_version_expiry_days must be at least 0."
  }
  validation {
    condition     = var.noncurrent_version_expiry_days <= 3650
    error_message = "noncurrent_version_expiry_days must be at most 3650."
  }
}

variable "manage_target_bucket_policy" {
  type        = bool
  description = "Whether this stack sets the target bucket's policy, which it can only do in the bucket's own Region. A bucket has only one policy. Set false if it already has one, and merge the statements of TargetBucketPolicy into it by hand."
  default     = true
  nullable    = false
}

variable "allow_mirror_deletes" {
  type        = bool
  description = "Whether the role may delete at the target. Mode mirror needs this."
  default     = false
  nullable    = false
}

variable "allow_acls" {
  type        = bool
  description = "Whether the role may set an access control list in a write. Runs with acl need this."
  default     = false
  nullable    = false
}

variable "allow_versions" {
  type        = bool
  description = "Whether the role may read versions of the source by their ids. Runs with source.as_of need this, and so do lists that name versions. The source bucket's policy must allow it too."
  default     = false
  nullable    = false
}

variable "allow_tags" {
  type        = bool
  description = "Whether the role may read and write tags and annotations. Set false if every run sets \"tags\":\"ignore\"."
  default     = true
  nullable    = false
}

variable "allow_annotations" {
  type        = bool
  description = "Whether the role may read and write annotations. Set false where S3 does not support them: it then refuses the bucket policy for an invalid action. Elsewhere, copies of annotated objects need this."
  default     = true
  nullable    = false
}

variable "administrator_arn" {
  type        = string
  description = "If set, the target bucket refuses everyone except the role, the root of this account and this administrator (a pattern such as arn:aws:iam::222222222222:role/admin/*). It must match whoever deploys this stack, or only root can change the policy again. Empty refuses nobody."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^$|^arn:aws[a-zA-Z-]*:iam::[0-9]{12}:[A-Za-z0-9+=,.@_/*-]{1,512}$", var.administrator_arn))
    error_message = "administrator_arn must be empty, or a pattern for the ARNs of IAM roles or users (a session counts as its role)."
  }
}

variable "create_audit_trail" {
  type        = bool
  description = "Whether a CloudTrail trail records every object that is read, written or deleted at the target ($0.10 per 100,000 events)."
  default     = false
  nullable    = false
}

variable "create_access_analyzer" {
  type        = bool
  description = "Whether an IAM Access Analyzer reports which resources of this account can be reached from outside."
  default     = false
  nullable    = false
}

variable "source_kms_key_arn" {
  type        = string
  description = "The KMS key of the source's objects, if they have one. The key's policy must also let this role decrypt."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^$|^arn:aws[a-zA-Z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.source_kms_key_arn))
    error_message = "source_kms_key_arn must be empty, or the ARN of a KMS key."
  }
}

variable "target_kms_key_arn" {
  type        = string
  description = "The KMS key that encrypts at the target, if any."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^$|^arn:aws[a-zA-Z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.target_kms_key_arn))
    error_message = "target_kms_key_arn must be empty, or the ARN of a KMS key."
  }
}

locals {
  parameters = {
    PlannerRoleArn              = var.planner_role_arn
    CopierRoleArn               = var.copier_role_arn
    ReporterRoleArn             = var.reporter_role_arn
    RendererRoleArn             = var.renderer_role_arn
    ExternalId                  = var.external_id
    RoleName                    = var.role_name
    SourceAccountId             = var.source_account_id
    SourceBucketName            = var.source_bucket_name
    SourcePrefix                = var.source_prefix
    TargetBucketName            = var.target_bucket_name
    TargetPrefix                = var.target_prefix
    CreateTargetBucket          = tostring(var.create_target_bucket)
    NoncurrentVersionExpiryDays = tostring(var.noncurrent_version_expiry_days)
    ManageTargetBucketPolicy    = tostring(var.manage_target_bucket_policy)
    AllowMirrorDeletes          = tostring(var.allow_mirror_deletes)
    AllowAcls                   = tostring(var.allow_acls)
    AllowVersions               = tostring(var.allow_versions)
    AllowTags                   = tostring(var.allow_tags)
    AllowAnnotations            = tostring(var.allow_annotations)
    AdministratorArn            = var.administrator_arn
    CreateAuditTrail            = tostring(var.create_audit_trail)
    CreateAccessAnalyzer        = tostring(var.create_access_analyzer)
    SourceKmsKeyArn             = var.source_kms_key_arn
    TargetKmsKeyArn             = var.target_kms_key_arn
  }
}
