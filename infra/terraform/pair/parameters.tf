# Written by infra/terraform/generate.py from infra/pair.yaml: change it there, then run `make terraform`.

variable "base_stack_name" {
  type        = string
  description = "The stack of template.yaml whose state machine copies the pair."
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,54}$", var.base_stack_name))
    error_message = "base_stack_name must be the name of a stack, at most 55 letters, digits and hyphens."
  }
}

variable "pair_name" {
  type        = string
  description = "The name of the pair, one for each pair of the stack, as shardlift status shows it. The schedule is called <BaseStackName>-pair-<PairName>, at most 64 characters."
  nullable    = false
  validation {
    condition     = can(regex("^[a-z0-9-]{1,24}$", var.pair_name))
    error_message = "pair_name must be at most 24 of a-z, 0-9 and -."
  }
}

variable "source_bucket_name" {
  type        = string
  description = "The bucket in this account to copy from: that of the stack, or one of its FurtherSourceBucketArns."
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{3,255}$", var.source_bucket_name))
    error_message = "source_bucket_name must be a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens, or one from before March 2018."
  }
}

variable "source_prefix" {
  type        = string
  description = "The prefix to copy from, usually ending in a slash; empty for the whole bucket. In the stack's own bucket it is within the stack's SourcePrefix, unless FurtherSourceBucketArns has that bucket, too."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9/!_.() &@=;:+,-]{0,900}$", var.source_prefix))
    error_message = "source_prefix must be at most 900 letters of the English alphabet, digits, spaces and /!_.()&@=;:+,-."
  }
}

variable "target_bucket_name" {
  type        = string
  description = "The bucket in the other account to copy to: that of the stack, or one of its FurtherTargetBucketNames."
  nullable    = false
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.target_bucket_name))
    error_message = "target_bucket_name must be a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "target_prefix" {
  type        = string
  description = "The prefix to copy to, usually ending in a slash. It must not contain, or be within, that of another pair: their runs would exclude each other."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9/!_.() &@=;:+,-]{0,900}$", var.target_prefix))
    error_message = "target_prefix must be at most 900 letters of the English alphabet, digits, spaces and /!_.()&@=;:+,-."
  }
}

variable "target_account_role_arn" {
  type        = string
  description = "The role of this pair's own target-account.yaml, one of the stack's FurtherTargetRoleArns."
  nullable    = false
  validation {
    condition     = can(regex("^arn:aws[a-zA-Z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=.@_/-]{1,512}$", var.target_account_role_arn))
    error_message = "target_account_role_arn must be the ARN of one IAM role, without a comma."
  }
}

variable "target_external_id" {
  type        = string
  description = "The external id that the role's trust policy requires. It is in the input of each run: it is not a secret, but make it hard to guess."
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

variable "run_mode" {
  type        = string
  description = "copy everything, sync what is missing or differs, mirror (sync, and delete at the target what the source lacks; the stack must have AllowMirror), or audit (compare, and write nothing)."
  default     = "sync"
  nullable    = false
  validation {
    condition     = contains(["copy", "sync", "mirror", "audit"], var.run_mode)
    error_message = "run_mode must be one of \"copy\", \"sync\", \"mirror\", \"audit\"."
  }
}

variable "run_include" {
  type        = list(string)
  description = "Globs of the keys below SourcePrefix that take part, comma-separated, for example **.csv,2026/**. Sizes and times of the stack's RunFilters apply to this pair, too; its include and exclude do not."
  default     = ["**"]
  nullable    = false
  validation {
    condition     = can(regex("^[^ \",\\\\\\x00-\\x1f]([^\",\\\\\\x00-\\x1f]*[^ \",\\\\\\x00-\\x1f])?(,[^ \",\\\\\\x00-\\x1f]([^\",\\\\\\x00-\\x1f]*[^ \",\\\\\\x00-\\x1f])?)*$", join(",", var.run_include)))
    error_message = "run_include must be comma-separated globs, without spaces around the commas; none has a comma, a quote, a backslash or a control character in it."
  }
}

variable "run_exclude" {
  type        = list(string)
  description = "Globs of the keys that do not take part, comma-separated, for example **.tmp,cache/**."
  default     = []
  nullable    = false
  validation {
    condition     = can(regex("^$|^[^ \",\\\\\\x00-\\x1f]([^\",\\\\\\x00-\\x1f]*[^ \",\\\\\\x00-\\x1f])?(,[^ \",\\\\\\x00-\\x1f]([^\",\\\\\\x00-\\x1f]*[^ \",\\\\\\x00-\\x1f])?)*$", join(",", var.run_exclude)))
    error_message = "run_exclude must be empty, or comma-separated globs, without spaces around the commas; none has a comma, a quote, a backslash or a control character in it."
  }
}

variable "run_fields" {
  type        = string
  description = "Further fields of the input, as they stand in its JSON object, for example \"tags\":\"ignore\",\"verify\":\"checksum\". What is not here is as in the stack: compare, tags, verify, storage_class, kms_key_arn and all others."
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^$|^\\s*\"[a-z_]+\"\\s*:[^\\x00-\\x1f]*[^,\\s\\x00-\\x1f]\\s*$", var.run_fields))
    error_message = "run_fields must be empty, or fields of a JSON object without its braces, at most 2,048 characters in one line."
  }
  validation {
    condition     = length(var.run_fields) <= 2048
    error_message = "run_fields must be at most 2048 characters long."
  }
}

variable "schedule_state" {
  type        = string
  description = "Whether the pair's runs start automatically."
  default     = "DISABLED"
  nullable    = false
  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.schedule_state)
    error_message = "schedule_state must be one of \"ENABLED\", \"DISABLED\"."
  }
}

variable "schedule_expression" {
  type        = string
  description = "When a run starts, as an EventBridge Scheduler expression. Runs of several pairs at once share the account's Lambda concurrency."
  default     = "cron(0 3 * * ? *)"
  nullable    = false
  validation {
    condition     = can(regex("^(cron|rate)\\(.+\\)$", var.schedule_expression))
    error_message = "schedule_expression must be cron(...) or rate(...)."
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

variable "dead_mans_switch_hours" {
  type        = number
  description = "The alarm for silence is raised when no run of this pair was COMPLETE for this many hours and the schedule is enabled: the time between two runs, plus the longest run and some grace. 0 omits the alarm."
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

locals {
  parameters = {
    BaseStackName        = var.base_stack_name
    PairName             = var.pair_name
    SourceBucketName     = var.source_bucket_name
    SourcePrefix         = var.source_prefix
    TargetBucketName     = var.target_bucket_name
    TargetPrefix         = var.target_prefix
    TargetAccountRoleArn = var.target_account_role_arn
    TargetExternalId     = var.target_external_id
    RunMode              = var.run_mode
    RunInclude           = join(",", var.run_include)
    RunExclude           = join(",", var.run_exclude)
    RunFields            = var.run_fields
    ScheduleState        = var.schedule_state
    ScheduleExpression   = var.schedule_expression
    ScheduleTimezone     = var.schedule_timezone
    DeadMansSwitchHours  = tostring(var.dead_mans_switch_hours)
  }
}
