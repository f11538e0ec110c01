# Written by infra/terraform/generate.py from infra/template.yaml: change it there, then run `make terraform`.

variable "source_bucket_name" {
  type        = string
  description = "The bucket in this account to copy from."
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{3,255}$", var.source_bucket_name))
    error_message = "source_bucket_name must be a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens, or one from before March 2018."
  }
}

variable "source_prefix" {
  type        = string
  description = "The prefix to copy from, usually ending in a slash; empty for the whole bucket. The functions' permissions are limited to it."
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
  description = "The bucket in the other account to copy to."
  nullable    = false
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.target_bucket_name))
    error_message = "target_bucket_name must be a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "target_prefix" {
  type        = string
  description = "The prefix to copy to, usually ending in a slash."
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

variable "target_account_role_arn" {
  type        = string
  description = "The role of target-account.yaml. It does not have to exist yet: choose its name now and use the same name in target-account.yaml."
  nullable    = false
  validation {
    condition     = can(regex("^arn:aws[a-zA-Z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=.@_/-]{1,512}$", var.target_account_role_arn))
    error_message = "target_account_role_arn must be the ARN of one IAM role, without a comma."
  }
}

variable "target_external_id" {
  type        = string
  description = "The external id that the role's trust policy requires; the same in both stacks. It is not a secret, but make it hard to guess."
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@:/_-]{2,}$", var.target_external_id))
    error_message = "target_external_id must be 2 to 1,224 characters of letters, digits and +=,.@:/_-."
  }
  validation {
    condition     = length(var.target_external_id) <= 1224
    error_message = "target_external_id must be 2 to 1,224 characters of letters, digits and +=,.@:/_-."
  }
}

variable "further_source_bucket_arns" {
  type        = list(string)
  description = "ARNs of buckets of this account that a run's input may name as its source, with any prefix, comma-separated: for further pairs (pair.yaml). SourceBucketName among them lifts the limit of SourcePrefix. The planner may list them; what is read, each target role and the bucket's policy decide."
  default     = []
  nullable    = false
  validation {
    condition     = can(regex("^$|^arn:aws[a-zA-Z-]*:s3:::[A-Za-z0-9._-]{3,255}(,arn:aws[a-zA-Z-]*:s3:::[A-Za-z0-9._-]{3,255})*$", join(",", var.further_source_bucket_arns)))
    error_message = "further_source_bucket_arns must be empty, or comma-separated ARNs of buckets without spaces."
  }
}

variable "further_target_bucket_names" {
  type        = list(string)
  description = "Buckets that a run's input may name as its target, with any prefix, comma-separated. TargetBucketName among them lifts the limit of TargetPrefix; a target role still writes below its own prefix alone."
  default     = []
  nullable    = false
  validation {
    condition     = can(regex("^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](,[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])*$", join(",", var.further_target_bucket_names)))
    error_message = "further_target_bucket_names must be empty, or comma-separated bucket names without spaces."
  }
}

variable "further_target_role_arns" {
  type        = list(string)
  description = "Further roles that a run's input may name, comma-separated. Each comes from its own target-account.yaml stack and must also be in the source bucket's policy. Empty allows only TargetAccountRoleArn."
  default     = []
  nullable    = false
  validation {
    condition     = can(regex("^$|^arn:aws[a-zA-Z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=.@_/-]{1,512}(,arn:aws[a-zA-Z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=.@_/-]{1,512})*$", join(",", var.further_target_role_arns)))
    error_message = "further_target_role_arns must be empty, or comma-separated ARNs of IAM roles without spaces."
  }
}

variable "run_mode" {
  type        = string
  description = "copy everything, sync what is missing or differs, or mirror (sync, and delete at the target what the source lacks)."
  default     = "sync"
  nullable    = false
  validation {
    condition     = contains(["copy", "sync", "mirror"], var.run_mode)
    error_message = "run_mode must be one of \"copy\", \"sync\", \"mirror\"."
  }
}

variable "run_compare" {
  type        = string
  description = "How a run decides that an object at the target is already the same."
  default     = "size_and_mtime"
  nullable    = false
  validation {
    condition     = contains(["size", "size_and_mtime", "etag"], var.run_compare)
    error_message = "run_compare must be one of \"size\", \"size_and_mtime\", \"etag\"."
  }
}

variable "run_tags" {
  type        = string
  description = "What happens to object tags. preserve fails an object whose tags cannot be copied, best_effort copies it without them, ignore copies none."
  default     = "preserve"
  nullable    = false
  validation {
    condition     = contains(["preserve", "best_effort", "ignore"], var.run_tags)
    error_message = "run_tags must be one of \"preserve\", \"best_effort\", \"ignore\"."
  }
}

variable "run_verify" {
  type        = string
  description = "How a run checks the target at the end. relist lists the target and compares it with what was copied, checksum also compares checksums or ETags of copied objects."
  default     = "relist"
  nullable    = false
  validation {
    condition     = contains(["none", "relist", "checksum"], var.run_verify)
    error_message = "run_verify must be one of \"none\", \"relist\", \"checksum\"."
  }
}

variable "run_filters" {
  type        = string
  description = "Which objects take part: the JSON object that a run's input has as filters, for example {\"exclude\":[\"**.tmp\"],\"size_min_bytes\":1}. A filter in the input replaces the filter of the same name here."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^$|^\\s*\\{[\\s\\S]*\\}\\s*$", var.run_filters))
    error_message = "run_filters must be empty, or a JSON object of at most 2,048 characters (a function's variables have 4 KB in all)."
  }
  validation {
    condition     = length(var.run_filters) <= 2048
    error_message = "run_filters must be at most 2048 characters long."
  }
}

variable "run_storage_class" {
  type        = string
  description = "The storage class at the target. preserve keeps each object's own class; a class applies to every copy."
  default     = "preserve"
  nullable    = false
  validation {
    condition     = contains(["preserve", "STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "REDUCED_REDUNDANCY"], var.run_storage_class)
    error_message = "run_storage_class must be one of \"preserve\", \"STANDARD\", \"STANDARD_IA\", \"ONEZONE_IA\", \"INTELLIGENT_TIERING\", \"GLACIER_IR\", \"GLACIER\", \"DEEP_ARCHIVE\", \"REDUCED_REDUNDANCY\"."
  }
}

variable "run_archived" {
  type        = string
  description = "What happens to archived objects that are not restored. fail reports each as ObjectArchived, skip leaves them out and counts them."
  default     = "fail"
  nullable    = false
  validation {
    condition     = contains(["fail", "skip"], var.run_archived)
    error_message = "run_archived must be one of \"fail\", \"skip\"."
  }
}

variable "run_kms_key_arn" {
  type        = string
  description = "The KMS key that encrypts at the target; empty uses the target bucket's default."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^$|^arn:aws[a-zA-Z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.run_kms_key_arn))
    error_message = "run_kms_key_arn must be empty, or the ARN of a KMS key."
  }
}

variable "run_sse" {
  type        = string
  description = "AES256 requests encryption with S3's own keys in every write, for a target bucket whose policy requires the header. Empty uses the bucket's default. Not together with RunKmsKeyArn."
  default     = ""
  nullable    = false
  validation {
    condition     = contains(["", "AES256"], var.run_sse)
    error_message = "run_sse must be one of \"\", \"AES256\"."
  }
}

variable "run_acl" {
  type        = string
  description = "The access control list that every write sets, for a target bucket whose policy requires one. It needs AllowAcls in target-account.yaml."
  default     = ""
  nullable    = false
  validation {
    condition     = contains(["", "bucket-owner-full-control"], var.run_acl)
    error_message = "run_acl must be one of \"\", \"bucket-owner-full-control\"."
  }
}

variable "run_request_payer" {
  type        = bool
  description = "Whether the target account agrees to pay for what is read at the source, as a Requester Pays bucket requires."
  default     = false
  nullable    = false
}

variable "run_delete_max_percent" {
  type        = number
  description = "A mirror run deletes at most this percentage of the target's objects, or RunDeleteMaxObjects, whichever is more. Beyond both it deletes nothing."
  default     = 5
  nullable    = false
  validation {
    condition     = var.run_delete_max_percent >= 0
    error_message = "run_delete_max_percent must be at least 0."
  }
  validation {
    condition     = var.run_delete_max_percent <= 100
    error_message = "run_delete_max_percent must be at most 100."
  }
}

variable "run_delete_max_objects" {
  type        = number
  description = "A mirror run may delete this many objects whatever their percentage. 0 leaves only RunDeleteMaxPercent in force. A mirror of an empty source deletes only if its input says allow_empty_source."
  default     = 10
  nullable    = false
  validation {
    condition     = var.run_delete_max_objects >= 0
    error_message = "run_delete_max_objects must be at least 0."
  }
}

variable "run_transform" {
  type        = list(string)
  description = "What a run makes of each object instead of a copy, for example thumbnail:256 or thumbnail:256,format=webp,quality=80. Empty to copy. Needs EnableTransforms."
  default     = []
  nullable    = false
  validation {
    condition     = can(regex("^$|^thumbnail:[0-9]{2,4}(,(format=(same|jpeg|png|webp)|quality=[0-9]{1,3}|pixels_max=[0-9]{1,13}))*$", join(",", var.run_transform)))
    error_message = "run_transform must be empty, or thumbnail:<longest edge in pixels>, followed by any of ,format= ,quality= ,pixels_max=."
  }
}

variable "run_rounds_max" {
  type        = number
  description = "How many rounds of copying one run may have."
  default     = 3
  nullable    = false
  validation {
    condition     = var.run_rounds_max >= 1
    error_message = "run_rounds_max must be at least 1."
  }
  validation {
    condition     = var.run_rounds_max <= 10
    error_message = "run_rounds_max must be at most 10."
  }
}

variable "allow_mirror" {
  type        = bool
  description = "Whether a run's input may ask for mode mirror, which deletes at the target. RunMode mirror implies it. The target account must allow it too (AllowMirrorDeletes)."
  default     = false
  nullable    = false
}

variable "allow_versions" {
  type        = bool
  description = "Whether a run may copy versions of the source that it names: those at a point in time (source.as_of), or those in a list. The planner may then list the versions of the source. The target role must be allowed to read them too (AllowVersions there, and the source bucket's policy)."
  default     = false
  nullable    = false
}

variable "enable_transforms" {
  type        = bool
  description = "Whether a run may have a transform, which writes a smaller picture of each image instead of a copy. Deploys the renderer, the only function that bytes of objects pass through. The target role must trust it (RendererRoleArn there)."
  default     = false
  nullable    = false
}

variable "delete_max_percent_ceiling" {
  type        = number
  description = "The largest delete_max_percent that a run's input may ask for; -1 for the value of RunDeleteMaxPercent."
  default     = -1
  nullable    = false
  validation {
    condition     = var.delete_max_percent_ceiling >= -1
    error_message = "delete_max_percent_ceiling must be at least -1."
  }
  validation {
    condition     = var.delete_max_percent_ceiling <= 100
    error_message = "delete_max_percent_ceiling must be at most 100."
  }
}

variable "delete_max_objects_ceiling" {
  type        = number
  description = "The largest delete_max_objects that a run's input may ask for; -1 for the value of RunDeleteMaxObjects."
  default     = -1
  nullable    = false
  validation {
    condition     = var.delete_max_objects_ceiling >= -1
    error_message = "delete_max_objects_ceiling must be at least -1."
  }
}

variable "allowed_kms_key_arns" {
  type        = list(string)
  description = "Keys other than RunKmsKeyArn that a run's input may name as kms_key_arn, comma-separated. key/* at the end of an ARN stands for each key of that account and Region. Whoever controls a key controls the copies."
  default     = []
  nullable    = false
  validation {
    condition     = can(regex("^$|^arn:aws[a-zA-Z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/([A-Za-z0-9-]+|[*])(,arn:aws[a-zA-Z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/([A-Za-z0-9-]+|[*]))*$", join(",", var.allowed_kms_key_arns)))
    error_message = "allowed_kms_key_arns must be empty, or comma-separated ARNs of KMS keys without spaces."
  }
}

variable "allowed_storage_classes" {
  type        = list(string)
  description = "The values of storage_class that a run's input may ask for besides RunStorageClass, comma-separated. Objects in GLACIER and DEEP_ARCHIVE must be restored before they can be read."
  default     = ["preserve", "STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"]
  nullable    = false
  validation {
    condition     = can(regex("^(preserve|STANDARD|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|GLACIER_IR|GLACIER|DEEP_ARCHIVE|REDUCED_REDUNDANCY)(,(preserve|STANDARD|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|GLACIER_IR|GLACIER|DEEP_ARCHIVE|REDUCED_REDUNDANCY))*$", join(",", var.allowed_storage_classes)))
    error_message = "allowed_storage_classes must be comma-separated storage classes or preserve, without spaces."
  }
}

variable "allowed_list_buckets" {
  type        = list(string)
  description = "Comma-separated ARNs of buckets in this account and Region, besides the control bucket, that may contain lists (source.list) and the files of inventories. The planner may read every object in them."
  default     = []
  nullable    = false
  validation {
    condition     = can(regex("^$|^arn:aws[a-zA-Z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](,arn:aws[a-zA-Z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])*$", join(",", var.allowed_list_buckets)))
    error_message = "allowed_list_buckets must be empty, or comma-separated ARNs of buckets without spaces."
  }
}

variable "copier_concurrency" {
  type        = number
  description = "The maximum number of copiers at once. The planner chooses how many a run needs: with 1,024 MB, 4 for up to 12 million small objects, since S3 accepts 3,500 writes per second for a prefix until it splits it. Copiers that Lambda has no slot for wait and are not lost, but they leave no slot for other functions of the account. A new account has 10 slots: set 8 there, or ask AWS for more."
  default     = 64
  nullable    = false
  validation {
    condition     = var.copier_concurrency >= 1
    error_message = "copier_concurrency must be at least 1."
  }
  validation {
    condition     = var.copier_concurrency <= 10000
    error_message = "copier_concurrency must be at most 10000."
  }
}

variable "writes_per_second_max" {
  type        = number
  description = "Maximum writes per second of a run at the target, shared evenly among CopierConcurrency copiers, at least one for each; 0 sets no cap. Use it if others use the target too."
  default     = 0
  nullable    = false
  validation {
    condition     = var.writes_per_second_max >= 0
    error_message = "writes_per_second_max must be at least 0."
  }
  validation {
    condition     = var.writes_per_second_max <= 1000000
    error_message = "writes_per_second_max must be at most 1000000."
  }
}

variable "copier_memory_mb" {
  type        = number
  description = "Memory of a copier in MB. The bytes are copied inside S3 and never pass through it, but memory determines CPU - 256 MB copy some 525 small objects per second, 1,024 MB four times as many, 1,769 MB (one vCPU) as many as one S3 partition accepts. With less memory a run has more copiers, for about the same price."
  default     = 1024
  nullable    = false
  validation {
    condition     = var.copier_memory_mb >= 128
    error_message = "copier_memory_mb must be at least 128."
  }
  validation {
    condition     = var.copier_memory_mb <= 10240
    error_message = "copier_memory_mb must be at most 10240."
  }
}

variable "renderer_memory_mb" {
  type        = number
  description = "Memory of a renderer in MB. It limits the images that are in memory at once, and determines CPU. One image may take half of it, and at most 1 GiB; a larger one fails as ImageTooLarge."
  default     = 2048
  nullable    = false
  validation {
    condition     = var.renderer_memory_mb >= 1024
    error_message = "renderer_memory_mb must be at least 1024."
  }
  validation {
    condition     = var.renderer_memory_mb <= 10240
    error_message = "renderer_memory_mb must be at most 10240."
  }
}

variable "planner_memory_mb" {
  type        = number
  description = "Memory of the planner in MB. The planner itself uses some 40 MB: memory here buys CPU (one vCPU for 1,769 MB), and the planner uses two threads. 3,008 MB are 1.7 vCPU and the most that a new account may configure; 3,538 MB are two, and more is of no use. Less memory plans more slowly and costs about the same."
  default     = 3008
  nullable    = false
  validation {
    condition     = var.planner_memory_mb >= 128
    error_message = "planner_memory_mb must be at least 128."
  }
  validation {
    condition     = var.planner_memory_mb <= 10240
    error_message = "planner_memory_mb must be at most 10240."
  }
}

variable "reporter_memory_mb" {
  type        = number
  description = "Memory of the reporter in MB."
  default     = 1024
  nullable    = false
  validation {
    condition     = var.reporter_memory_mb >= 128
    error_message = "reporter_memory_mb must be at least 128."
  }
  validation {
    condition     = var.reporter_memory_mb <= 10240
    error_message = "reporter_memory_mb must be at most 10240."
  }
}

variable "planner_timeout_seconds" {
  type        = number
  description = "Timeout in seconds of one planner invocation; the planner yields before it and is called again."
  default     = 900
  nullable    = false
  validation {
    condition     = var.planner_timeout_seconds >= 1
    error_message = "planner_timeout_seconds must be at least 1."
  }
  validation {
    condition     = var.planner_timeout_seconds <= 900
    error_message = "planner_timeout_seconds must be at most 900."
  }
}

variable "copier_timeout_seconds" {
  type        = number
  description = "Timeout in seconds of one invocation of a copier or a renderer, which yields before it and is called again."
  default     = 900
  nullable    = false
  validation {
    condition     = var.copier_timeout_seconds >= 1
    error_message = "copier_timeout_seconds must be at least 1."
  }
  validation {
    condition     = var.copier_timeout_seconds <= 900
    error_message = "copier_timeout_seconds must be at most 900."
  }
}

variable "reporter_timeout_seconds" {
  type        = number
  description = "Timeout in seconds of one reporter invocation; the reporter yields before it and is called again."
  default     = 900
  nullable    = false
  validation {
    condition     = var.reporter_timeout_seconds >= 1
    error_message = "reporter_timeout_seconds must be at least 1."
  }
  validation {
    condition     = var.reporter_timeout_seconds <= 900
    error_message = "reporter_timeout_seconds must be at most 900."
  }
}

variable "architecture" {
  type        = string
  description = "The processor architecture that the zips were built for."
  default     = "x86_64"
  nullable    = false
  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be one of \"x86_64\", \"arm64\"."
  }
}

variable "ledger_ttl_days" {
  type        = number
  description = "Days until a run's records are removed from the ledger; longer than the 14 days that a run may take."
  default     = 90
  nullable    = false
  validation {
    condition     = var.ledger_ttl_days >= 15
    error_message = "ledger_ttl_days must be at least 15."
  }
  validation {
    condition     = var.ledger_ttl_days <= 3650
    error_message = "ledger_ttl_days must be at most 3650."
  }
}

variable "control_bucket_expiry_days" {
  type        = number
  description = "Days until a run's manifests and reports are removed from the control bucket; longer than the 14 days that a run may take. A run can be rerun while its records and documents are kept."
  default     = 90
  nullable    = false
  validation {
    condition     = var.control_bucket_expiry_days >= 15
    error_message = "control_bucket_expiry_days must be at least 15."
  }
  validation {
    condition     = var.control_bucket_expiry_days <= 3650
    error_message = "control_bucket_expiry_days must be at most 3650."
  }
}

variable "log_retention_days" {
  type        = number
  description = "Days until log events are deleted."
  default     = 90
  nullable    = false
}

variable "log_level" {
  type        = string
  description = "The functions' log level. info writes a line per shard, debug one per object."
  default     = "info"
  nullable    = false
  validation {
    condition     = contains(["error", "warn", "info", "debug"], var.log_level)
    error_message = "log_level must be one of \"error\", \"warn\", \"info\", \"debug\"."
  }
}

variable "notification_email" {
  type        = string
  description = "The address for notifications about runs and alarms; empty subscribes nobody."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^$|^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.notification_email))
    error_message = "notification_email must be empty, or an e-mail address."
  }
}

variable "schedule_state" {
  type        = string
  description = "Whether the nightly run starts automatically."
  default     = "DISABLED"
  nullable    = false
  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.schedule_state)
    error_message = "schedule_state must be one of \"ENABLED\", \"DISABLED\"."
  }
}

variable "schedule_expression" {
  type        = string
  description = "When the nightly run starts, as an EventBridge Scheduler expression."
  default     = "cron(0 2 * * ? *)"
  nullable    = false
  validation {
    condition     = can(regex("^(cron|rate)\\(.+\\)$", var.schedule_expression))
    error_message = "schedule_expression must be cron(...) or rate(...)."
  }
}

variable "dead_mans_switch_hours" {
  type        = number
  description = "The alarm for silence is raised when no run was COMPLETE for this many hours and the schedule is enabled: the time between two runs, plus the longest run and some grace. 26 is for a run a day; 0 omits the alarm, for example for runs that are more than a week apart."
  default     = 26
  nullable    = false
  validation {
    condition     = var.dead_mans_switch_hours >= 0
    error_message = "dead_mans_switch_hours must be at least 0."
  }
  validation {
    condition     = var.dead_mans_switch_hours <= 168
    error_message = "dead_mans_switch_hours must be at most 168."
  }
}

variable "schedule_timezone" {
  type        = string
  description = "The time zone of the schedule, for example Europe/Berlin."
  default     = "UTC"
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9_+/-]{1,50}$", var.schedule_timezone))
    error_message = "schedule_timezone must be a name from the IANA time zone database."
  }
}

variable "start_on_events" {
  type        = bool
  description = "Whether objects written to the source start a run within minutes. After the deployment, shardlift events on makes the source bucket send its events. Nightly runs continue: they prove what the runs between them copied."
  default     = false
  nullable    = false
}

variable "events_window_seconds" {
  type        = number
  description = "How long events are collected before they start a run."
  default     = 60
  nullable    = false
  validation {
    condition     = var.events_window_seconds >= 1
    error_message = "events_window_seconds must be at least 1."
  }
  validation {
    condition     = var.events_window_seconds <= 300
    error_message = "events_window_seconds must be at most 300."
  }
}

variable "events_waiting_alarm_hours" {
  type        = number
  description = "The hours that an event may wait for a run before an alarm is raised; longer than the longest run."
  default     = 24
  nullable    = false
  validation {
    condition     = var.events_waiting_alarm_hours >= 1
    error_message = "events_waiting_alarm_hours must be at least 1."
  }
  validation {
    condition     = var.events_waiting_alarm_hours <= 168
    error_message = "events_waiting_alarm_hours must be at most 168."
  }
}

variable "intake_memory_mb" {
  type        = number
  description = "Memory of the intake in MB. It holds the events of one batch, and the waiting lists that it merges (32 MiB at most)."
  default     = 512
  nullable    = false
  validation {
    condition     = var.intake_memory_mb >= 128
    error_message = "intake_memory_mb must be at least 128."
  }
  validation {
    condition     = var.intake_memory_mb <= 10240
    error_message = "intake_memory_mb must be at most 10240."
  }
}

variable "create_source_audit_trail" {
  type        = bool
  description = "Whether a CloudTrail trail records every object that is read at the source ($0.10 per 100,000 events). target-account.yaml offers the same for the target."
  default     = false
  nullable    = false
}

locals {
  parameters = {
    SourceBucketName         = var.source_bucket_name
    SourcePrefix             = var.source_prefix
    TargetBucketName         = var.target_bucket_name
    TargetPrefix             = var.target_prefix
    TargetAccountRoleArn     = var.target_account_role_arn
    TargetExternalId         = var.target_external_id
    FurtherSourceBucketArns  = join(",", var.further_source_bucket_arns)
    FurtherTargetBucketNames = join(",", var.further_target_bucket_names)
    FurtherTargetRoleArns    = join(",", var.further_target_role_arns)
    RunMode                  = var.run_mode
    RunCompare               = var.run_compare
    RunTags                  = var.run_tags
    RunVerify                = var.run_verify
    RunFilters               = var.run_filters
    RunStorageClass          = var.run_storage_class
    RunArchived              = var.run_archived
    RunKmsKeyArn             = var.run_kms_key_arn
    RunSse                   = var.run_sse
    RunAcl                   = var.run_acl
    RunRequestPayer          = tostring(var.run_request_payer)
    RunDeleteMaxPercent      = tostring(var.run_delete_max_percent)
    RunDeleteMaxObjects      = tostring(var.run_delete_max_objects)
    RunTransform             = join(",", var.run_transform)
    RunRoundsMax             = tostring(var.run_rounds_max)
    AllowMirror              = tostring(var.allow_mirror)
    AllowVersions            = tostring(var.allow_versions)
    EnableTransforms         = tostring(var.enable_transforms)
    DeleteMaxPercentCeiling  = tostring(var.delete_max_percent_ceiling)
    DeleteMaxObjectsCeiling  = tostring(var.delete_max_objects_ceiling)
    AllowedKmsKeyArns        = join(",", var.allowed_kms_key_arns)
    AllowedStorageClasses    = join(",", var.allowed_storage_classes)
    AllowedListBuckets       = join(",", var.allowed_list_buckets)
    CopierConcurrency        = tostring(var.copier_concurrency)
    WritesPerSecondMax       = tostring(var.writes_per_second_max)
    CopierMemoryMb           = tostring(var.copier_memory_mb)
    RendererMemoryMb         = tostring(var.renderer_memory_mb)
    PlannerMemoryMb          = tostring(var.planner_memory_mb)
    ReporterMemoryMb         = tostring(var.reporter_memory_mb)
    PlannerTimeoutSeconds    = tostring(var.planner_timeout_seconds)
    CopierTimeoutSeconds     = tostring(var.copier_timeout_seconds)
    ReporterTimeoutSeconds   = tostring(var.reporter_timeout_seconds)
    Architecture             = var.architecture
    LedgerTtlDays            = tostring(var.ledger_ttl_days)
    ControlBucketExpiryDays  = tostring(var.control_bucket_expiry_days)
    LogRetentionDays         = tostring(var.log_retention_days)
    LogLevel                 = var.log_level
    NotificationEmail        = var.notification_email
    ScheduleState            = var.schedule_state
    ScheduleExpression       = var.schedule_expression
    DeadMansSwitchHours      = tostring(var.dead_mans_switch_hours)
    ScheduleTimezone         = var.schedule_timezone
    StartOnEvents            = tostring(var.start_on_events)
    EventsWindowSeconds      = tostring(var.events_window_seconds)
    EventsWaitingAlarmHours  = tostring(var.events_waiting_alarm_hours)
    IntakeMemoryMb           = tostring(var.intake_memory_mb)
    CreateSourceAuditTrail   = tostring(var.create_source_audit_trail)
  }
}
