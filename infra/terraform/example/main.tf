# Both accounts by one person who has a profile for each. Two people apply one module each and hand over what the other's
# variables ask for: the role ARNs and the external id to the target account, source_bucket_policy_json back.

variable "external_id" {
  type        = string
  description = "The same in both accounts: choose it once, for example by `openssl rand -hex 16`."
}

provider "aws" {
  alias   = "source"
  profile = "source"
  region  = "eu-central-1"
}

# The Region of the target bucket.
provider "aws" {
  alias   = "target"
  profile = "target"
  region  = "eu-central-1"
}

data "aws_caller_identity" "source" {
  provider = aws.source
}

data "aws_caller_identity" "target" {
  provider = aws.target
}

locals {
  logs_role_arn = "arn:aws:iam::${data.aws_caller_identity.target.account_id}:role/shardlift-logs"
}

module "source_account" {
  source                  = "../source-account"
  providers               = { aws = aws.source }
  artifacts_bucket        = "MY-ARTIFACTS"
  package_directory       = "${path.root}/../../../target/lambda"
  source_bucket_name      = "MY-SOURCE"
  source_prefix           = "data/"
  target_bucket_name      = "my-target"
  target_prefix           = "data/"
  target_account_role_arn = "arn:aws:iam::${data.aws_caller_identity.target.account_id}:role/shardlift-target"
  target_external_id      = var.external_id
  notification_email      = "me@example.com"
  # What the runs of the further pair may name.
  further_target_bucket_names = ["my-logs"]
  further_target_role_arns    = [local.logs_role_arn]
}

module "target_account" {
  source               = "../target-account"
  providers            = { aws = aws.target }
  planner_role_arn     = module.source_account.planner_role_arn
  copier_role_arn      = module.source_account.copier_role_arn
  reporter_role_arn    = module.source_account.reporter_role_arn
  external_id          = var.external_id
  source_account_id    = data.aws_caller_identity.source.account_id
  source_bucket_name   = "MY-SOURCE"
  source_prefix        = "data/"
  target_bucket_name   = "my-target"
  target_prefix        = "data/"
  create_target_bucket = true
}

# A further pair of the same stack, from another prefix of the bucket to another bucket.
module "logs" {
  source                  = "../pair"
  providers               = { aws = aws.source }
  depends_on              = [module.source_account]
  base_stack_name         = "shardlift"
  pair_name               = "logs"
  source_bucket_name      = "MY-SOURCE"
  source_prefix           = "data/logs/"
  target_bucket_name      = "my-logs"
  target_account_role_arn = local.logs_role_arn
  target_external_id      = var.external_id
}

module "logs_target" {
  source                  = "../target-account"
  providers               = { aws = aws.target }
  stack_name              = "shardlift-logs"
  role_name               = "shardlift-logs"
  planner_role_arn        = module.source_account.planner_role_arn
  copier_role_arn         = module.source_account.copier_role_arn
  reporter_role_arn       = module.source_account.reporter_role_arn
  external_id             = var.external_id
  source_account_id       = data.aws_caller_identity.source.account_id
  source_bucket_name      = "MY-SOURCE"
  source_prefix           = "data/logs/"
  source_statement_suffix = "Logs"
  target_bucket_name      = "my-logs"
  create_target_bucket    = true
}

# A bucket has one policy. Name your own documents beside this one.
data "aws_iam_policy_document" "source_bucket" {
  source_policy_documents = [
    module.target_account.source_bucket_policy_json,
    module.logs_target.source_bucket_policy_json,
  ]
}

resource "aws_s3_bucket_policy" "source" {
  provider = aws.source
  bucket   = "MY-SOURCE"
  policy   = data.aws_iam_policy_document.source_bucket.json
}
