# The stack of infra/target-account.yaml, and the document that the source bucket's policy needs. The provider's Region must be
# that of the target bucket: CloudFormation sets a bucket's policy at the endpoint of the stack's own Region.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_partition" "this" {}

resource "aws_cloudformation_stack" "this" {
  name          = var.stack_name
  template_body = file("${path.module}/../../target-account.yaml")
  parameters    = local.parameters
  capabilities  = ["CAPABILITY_NAMED_IAM"]
  tags          = var.tags
}

output "source_bucket_policy_json" {
  description = "The statements for the source bucket's policy, for source_policy_documents of a data \"aws_iam_policy_document\" in the source account."
  # A policy has each Sid once: of several pairs over one bucket, all but one have a suffix.
  value = replace(templatefile("${path.module}/../../source-bucket-policy.json", {
    TargetRoleArn    = aws_cloudformation_stack.this.outputs["TargetRoleArn"]
    Partition        = data.aws_partition.this.partition
    SourceBucketName = var.source_bucket_name
    SourcePrefix     = var.source_prefix
  }), "/\"Sid\": \"(\\w+)\"/", "\"Sid\": \"$1${var.source_statement_suffix}\"")
}
